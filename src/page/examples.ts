import { button, element } from './dom.ts';

export interface Example {
  readonly name: string;
  readonly alt: string;
  readonly credit: string;
  readonly suggestions: readonly string[];
}

/** src/page/examples/README.md names their sources and licences. */
const EXAMPLES: readonly Example[] = [
  {
    name: 'astronaut',
    alt: 'An astronaut in an orange suit, smiling',
    credit: 'NASA, public domain',
    suggestions: ['Describe the image.', 'Is there a person in the image?', 'What color is the suit?'],
  },
  {
    name: 'chelsea',
    alt: 'A tabby cat looking at the camera',
    credit: 'Stéfan van der Walt, CC0',
    suggestions: ['What object is this?', 'Describe the image.', 'Is there a cat in the image?'],
  },
  {
    name: 'rocket',
    alt: 'A rocket lifting off at dusk',
    credit: 'SpaceX, CC0',
    suggestions: ['Is this outdoors?', 'What is happening in this picture?', 'Is there a dog in the image?'],
  },
];

/** @param open with the example's file and what to ask about it */
export function examples(open: (file: File, suggestions: readonly string[]) => void): readonly HTMLElement[] {
  return EXAMPLES.map((example) => {
    const picture = element('img');
    picture.src = `/page/examples/${example.name}.jpg`;
    picture.alt = example.alt;
    const choose = button('example', '', () => {
      void file(example, picture.src).then((opened) => open(opened, example.suggestions));
    });
    choose.append(picture);
    return element('li', '', choose, element('span', 'small', `Photo: ${example.credit}`));
  });
}

/** @param url which the browser has just shown: it need not be fetched again */
async function file({ name }: Example, url: string): Promise<File> {
  const response = await fetch(url);
  return new File([await response.blob()], `${name}.jpg`, { type: 'image/jpeg', lastModified: 0 });
}
