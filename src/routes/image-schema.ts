import * as z from 'zod';

/** An image as text: in JSON, and in a form's text field. */
export const imageText = z.string().regex(/\S/).meta({
  description:
    'A data URL (data:image/jpeg;base64,...; JPEG or PNG), the sha256: handle of an image sent before, or an https URL on a host that the deployment names.',
});

export const handleSchema = z
  .templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)])
  .meta({ description: 'The image, for later requests: they need not send it again.' });

const imageBytes = z.custom<Uint8Array<ArrayBuffer>>(
  (value) => value instanceof Uint8Array && value.length > 0,
);

/** The image of a request in any of its three forms. */
export const imageField = z.union([imageText, imageBytes]).meta({
  description:
    'A data URL (JPEG or PNG), the sha256: handle of an image sent before, an https URL on a host that the deployment names, or (in a form or as the body) the image itself.',
});
