"""The words that the rules look for in captions."""

import re

FORMS: dict[str, frozenset[str]] = {
    thing: frozenset(forms.split())
    for thing, forms in {
        "dog": "dog dogs puppy puppies",
        "cat": "cat cats kitten",
        "horse": "horse horses",
        "bird": "bird birds seagull duck",
        "cow": "cow cows",
        "sheep": "sheep lamb",
        "man": "man men guy guys",
        "woman": "woman women lady ladies",
        "boy": "boy boys",
        "girl": "girl girls",
        "child": "child children kid kids toddler baby boy boys girl girls",
        "person": "person people man men woman women boy boys girl girls child children kid kids guy guys lady ladies "
        "toddler baby player players biker cyclist skier surfer climber skateboarder snowboarder adult adults "
        "someone crowd",
        "baby": "baby babies infant",
        "ball": "ball balls football basketball baseball",
        "tennis ball": "tennis_ball",
        "soccer ball": "soccer_ball",
        "frisbee": "frisbee disc disk",
        "bicycle": "bicycle bike bikes bicycles bmx",
        "motorcycle": "motorcycle motorcycles motorbike dirt_bike",
        "car": "car cars",
        "truck": "truck trucks",
        "bus": "bus",
        "boat": "boat boats canoe kayak raft sailboat",
        "surfboard": "surfboard surfer surfing surfboards surfs",
        "skateboard": "skateboard skateboarder skateboarding skateboards",
        "snowboard": "snowboard snowboarder snowboarding",
        "skier": "skier skiers skiing skis",
        "swing": "swing swings swinging",
        "slide": "slide",
        "pool": "pool",
        "water": "water ocean lake river pool sea wave waves pond stream",
        "beach": "beach shore",
        "wave": "wave waves",
        "snow": "snow snowy",
        "grass": "grass grassy lawn",
        "field": "field",
        "tree": "tree trees",
        "rock": "rock rocks boulder boulders cliff rocky",
        "mountain": "mountain mountains hill",
        "street": "street road sidewalk",
        "building": "building buildings",
        "fence": "fence",
        "bench": "bench",
        "hat": "hat hats cap",
        "helmet": "helmet helmets",
        "sunglasses": "sunglasses goggles",
        "shirt": "shirt shirts t-shirt",
        "dress": "dress dresses",
        "jacket": "jacket jackets coat",
        "camera": "camera cameras",
        "guitar": "guitar",
        "umbrella": "umbrella umbrellas",
        "stick": "stick sticks",
        "toy": "toy toys",
        "rope": "rope ropes",
        "flag": "flag flags",
        "flower": "flower flowers",
        "sand": "sand sandy beach",
        "bridge": "bridge",
        "stairs": "stairs steps staircase",
        "tent": "tent",
        "table": "table",
        "chair": "chair chairs",
        "bucket": "bucket",
        "sign": "sign signs",
        "window": "window windows",
        "door": "door",
        "wall": "wall",
        "trampoline": "trampoline",
        "sled": "sled sledding",
        "fountain": "fountain sprinkler",
        "leaves": "leaves",
        "mouth": "mouth",
        "uniform": "uniform uniforms",
        "backpack": "backpack",
    }.items()
}
"""What a question may ask for, and the words in a caption that show it."""

SMALL = frozenset(
    "hat helmet camera stick ball frisbee flag guitar umbrella bench fence tree rock toy leaves mouth sunglasses "
    "jacket shirt bucket sign".split()
)
"""Things that people leave out: one caption that names them is enough, where others need two."""

COMPOUNDS = ("tennis ball", "soccer ball", "dirt bike")
NO_ARTICLE = frozenset("water snow grass sand sunglasses stairs leaves".split())

COLORS = "black white brown red blue yellow green pink orange purple gray grey tan golden blond blonde".split()
COLOR_SPELLINGS = {"grey": "gray", "blonde": "blond"}
SKIN_COLORS = frozenset(("black", "white", "brown", "tan"))
COLORED = (
    "shirt dress jacket coat hat helmet car bike ball uniform pants shorts frisbee hair truck motorcycle umbrella boat "
    "surfboard swimsuit sweater toy flowers cap kayak raft horse top outfit jersey".split()
)

NUMBERS = "two three four five six".split()
SINGULARS = {
    "dogs": "dog", "men": "man", "women": "woman", "boys": "boy", "girls": "girl", "children": "child", "kids": "kid",
    "people": "person", "horses": "horse", "birds": "bird", "players": "player", "bikes": "bike", "cars": "car",
    "balls": "ball", "cats": "cat", "puppies": "puppy", "boats": "boat", "guys": "guy", "kayakers": "kayaker",
    "skiers": "skier", "surfers": "surfer", "cyclists": "cyclist", "bicyclists": "bicyclist",
}  # fmt: skip

SUBJECTS = (
    "dog man woman boy girl child person kid baby toddler guy lady player surfer skier snowboarder skateboarder biker "
    "cyclist climber horse cat bird dogs men women boys girls children people kids puppy".split()
)
HUMANS = frozenset("people person man men woman women boy girl child children kid".split())
NOT_ACTIVITIES = re.compile(
    r"(wearing|during|being|having|evening|including|wedding|string|swing|looking like|building|spring)\b"
)

PLACES = (
    "snow water beach field grass park street road pool mountain hill forest woods sand ocean lake river city yard "
    "playground sidewalk air dirt mud stage room kitchen couch bed floor table track ramp rock cliff wave waves gym "
    "stadium garden path trail sunset crowd trees bench tree fence wall building court desert store restaurant "
    "backyard lawn trampoline swing slide rail bridge boat bike horse car".split()
)
PREPOSITIONS = (
    "in", "on", "at", "through", "near", "along", "by", "across", "over", "into", "beside", "down", "up", "inside",
    "outside", "under", "next to", "in front of", "onto",
)  # fmt: skip


def with_article(thing: str) -> str:
    if thing in NO_ARTICLE:
        return thing
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def verb(noun: str) -> str:
    return "are" if noun in SINGULARS or noun in ("pants", "shorts", "flowers") else "is"
