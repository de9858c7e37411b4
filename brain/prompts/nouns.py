"""Nouns: which are things that can be seen, which are none, what is part of a name, and their plurals."""

from __future__ import annotations

from functools import lru_cache


def word_set(text: str) -> frozenset[str]:
    """Returns the words of a text.

    >>> sorted(word_set("red blue"))
    ['blue', 'red']
    """
    return frozenset(text.split())


_NOUNS = """
person people man woman boy girl child baby kid toddler teenager adult couple family friend crowd soldier chef doctor
nurse teacher student farmer worker artist astronaut pilot player dancer singer musician king queen prince princess
knight wizard witch pirate ninja samurai cowboy clown robot alien zombie ghost monster dragon unicorn mermaid fairy
angel demon elf dwarf giant troll vampire skeleton snowman scarecrow lady gentleman bride groom guard policeman
firefighter waiter baker barista scientist lawyer judge athlete surfer skier skateboarder snowboarder cyclist runner
skater rider driver passenger tourist hiker climber swimmer diver fisherman hunter gardener painter sculptor
photographer writer monk priest nun businessman businesswoman commuter customer audience fan zookeeper shepherd mother
father parent grandmother grandfather sister brother twin owner figure hero superhero animal dog puppy cat kitten bird
horse pony foal donkey mule cow bull calf ox sheep lamb goat pig piglet chicken hen rooster chick duck duckling goose
turkey swan pigeon dove crow raven eagle hawk falcon owl parrot penguin flamingo peacock seagull sparrow robin
hummingbird ostrich pelican stork heron toucan woodpecker sandpiper elephant bear panda koala kangaroo lion lioness
tiger leopard cheetah jaguar panther wolf fox coyote deer moose elk reindeer antelope gazelle buffalo bison zebra
giraffe hippo hippopotamus rhino rhinoceros camel llama alpaca monkey gorilla chimpanzee ape orangutan lemur sloth
raccoon skunk badger beaver otter squirrel chipmunk rabbit bunny hare mouse rat hamster hedgehog porcupine bat mole
meerkat weasel ferret armadillo anteater platypus fish goldfish shark whale dolphin seal walrus octopus squid jellyfish
starfish crab lobster shrimp turtle tortoise frog toad lizard iguana gecko chameleon crocodile alligator snake python
dinosaur butterfly moth bee wasp ant spider beetle ladybug fly mosquito dragonfly grasshopper cricket caterpillar worm
snail slug scorpion insect corgi poodle bulldog beagle husky retriever dachshund terrier dalmatian chihuahua car
automobile bicycle bike motorcycle motorbike scooter moped bus train truck lorry van taxi cab boat ship sailboat yacht
canoe kayak rowboat raft ferry submarine airplane plane aeroplane jet helicopter drone rocket spaceship spacecraft ufo
balloon tram trolley subway ambulance tractor bulldozer excavator crane carriage wagon cart wheelbarrow sled sleigh
skateboard snowboard surfboard stroller tank limousine jeep suv pickup tricycle unicycle trailer vehicle wheel tire
tyre engine windshield light lamp lantern candle chandelier flashlight torch bulb lightbulb streetlight hydrant sign
billboard meter bench mailbox fountain statue monument sculpture streetlamp lamppost pole post fence gate wall door
doorway window roof chimney floor ceiling stair staircase ladder balcony porch garage house home building skyscraper
tower castle palace church cathedral temple mosque barn cabin cottage hut tent shed bridge tunnel lighthouse windmill
factory hospital school library museum restaurant cafe café bar shop store supermarket market mall hotel office
kitchen bathroom bedroom room hallway corridor classroom stadium theater theatre cinema station airport platform
harbor harbour pier dock marina street road highway path sidewalk alley intersection crosswalk park garden yard lawn
playground field farm meadow forest jungle desert beach shore coast ocean sea lake pond river stream waterfall pool
mountain hill valley cliff cave volcano island canyon glacier iceberg rock boulder stone pebble sand mud grass snow
water ice sky cloud rainbow sun moon star planet earth galaxy comet city town village skyline landscape track rail
railway court pitch rink stage curb cobblestone terrace patio deck driveway parkinglot campfire bonfire fire fireplace
flame smoke lightning tree bush shrub plant flower rose tulip daisy sunflower lily orchid carnation lavender cactus
fern vine ivy leaf branch twig trunk root seed moss mushroom log stump bamboo palm pine oak maple bonsai petal bouquet
wreath hay lilypad chair couch sofa armchair stool ottoman bed crib mattress pillow cushion blanket quilt sheet towel
rug carpet mat curtain table desk nightstand dresser wardrobe cabinet cupboard drawer shelf bookshelf bookcase rack
chest hammock throne easel podium mirror clock watch vase pot planter frame painting picture photo photograph poster
map globe marble violet calendar toilet sink bathtub tub shower faucet tap soap toothbrush toothpaste comb hairbrush
razor drier dryer hairdryer scale tv television monitor screen laptop computer keyboard printer scanner phone
telephone cellphone smartphone tablet camera radio speaker headphones headphone microphone remote controller console
charger cable battery projector typewriter calculator refrigerator fridge freezer oven stove microwave toaster blender
kettle teapot teakettle mixer dishwasher heater vacuum iron washer bottle cup mug glass wineglass goblet bowl plate
dish saucer tray platter pan skillet pitcher jug jar can tin thermos fork knife spoon chopstick ladle spatula whisk
napkin tablecloth coaster cutlery apple banana orange lemon lime pear peach plum cherry grape strawberry blueberry
raspberry blackberry berry watermelon melon pineapple mango papaya coconut kiwi avocado fig date apricot pomegranate
durian grapefruit fruit tomato potato carrot broccoli cauliflower cabbage lettuce spinach onion garlic pepper cucumber
zucchini eggplant pumpkin squash corn pea bean celery asparagus radish beet turnip vegetable sandwich burger hamburger
cheeseburger hotdog pizza pasta spaghetti noodle rice sushi taco burrito salad soup stew steak bacon sausage ham egg
omelette omelet pancake waffle toast bread baguette bagel croissant bun muffin cupcake cake pie cookie biscuit donut
doughnut brownie candy chocolate lollipop icecream pudding jello cheese butter milk coffee tea juice soda beer wine
cocktail honey jam cereal nut peanut almond walnut popcorn pretzel cracker chip fries meat food meal dessert snack
sauce syrup dough espresso latte book notebook newspaper magazine journal diary pen pencil marker crayon eraser ruler
scissors stapler paper envelope stamp letter card postcard folder binder backpack bag handbag purse wallet suitcase
briefcase luggage box crate basket bucket barrel bin trashcan package parcel gift present umbrella parasol cane key
lock padlock keychain chain rope string ribbon wire hook nail screw hammer wrench screwdriver saw drill axe shovel
rake hoe broom mop sponge brush paintbrush hose toolbox needle thread button zipper pin magnet lens telescope
microscope binoculars compass thermometer syringe pill bandage stethoscope crutch wheelchair hat cap helmet crown
tiara hood scarf glove mitten shirt t-shirt tshirt blouse sweater hoodie jacket coat vest suit tuxedo dress skirt gown
robe kimono pants trousers jeans shorts sock stocking shoe boot sandal sneaker slipper heel tie bowtie necktie belt
buckle bracelet necklace earring ring pendant brooch locket jewelry jewel gem diamond ruby emerald glasses eyeglasses
sunglasses goggles mask wig apron uniform costume cape cloak armor armour shield sword dagger spear bow arrow gun
rifle pistol cannon bomb ball basketball football baseball volleyball soccerball racket racquet paddle net goal
goalpost hoop frisbee kite ski skis snowshoe trampoline seesaw swing slide carousel toy doll teddy puppet puzzle dice
die chessboard chess domino yo-yo kaleidoscope trophy medal guitar violin cello piano drum trumpet saxophone flute
clarinet harp accordion harmonica banjo ukulele tambourine xylophone bell whistle amplifier cube sphere cylinder cone
pyramid triangle square circle rectangle hexagon pentagon oval prism block brick tile flag banner windchime birdhouse
birdcage cage nest feather shell seashell bone skull web spiderweb aquarium fishbowl signpost barrier bollard plaque
display bead confetti firework snowflake coin cash money dollar bill note gear lever satellite antenna machine
lipstick perfume palette makeup pottery cupholder pendulum hourglass sundial mound drumstick canopy container holder
lid stand surface board whiteboard blackboard chalkboard mousepad doormat bookend trash garbage tissue leash collar
saddle bridle straw chopsticks tongs tweezers pliers bra bikini swimsuit lego pavement fur bark foliage reed wolfhound
cloudscape dune mill stall kiosk booth cupboards counter fireworks countertop mantle windowsill
"""
#: bare nouns that are things although nothing before them says so
NOUNS = word_set(_NOUNS)
#: nouns that are no things that could be pointed at
ABSTRACT = word_set(
    """
    time day night morning evening afternoon dawn dusk sunset sunrise midnight noon winter summer spring autumn fall
    year season weather rain wind storm fog mist air light lighting sunlight moonlight darkness shade color colour
    colors colours style background foreground distance middle center centre top bottom side left right front back
    edge corner end part half rest scene atmosphere mood feeling emotion love joy happiness sadness beauty elegance
    nature life death world reality dream idea concept thought memory story history adventure mystery magic power
    energy motion action movement speed place area region space position view angle perspective sense touch taste
    smell sound sight aroma scent flavor flavour music song noise silence symbol pattern patterns texture shape form
    size number way kind sort type variety contrast symphony delight temptation exoticism wonder marvel masterpiece
    work reminder addition glow gleam shimmer warmth comfort heat cold punch zing detail details quality resolution
    text word words letter letters lettering writing caption typography signage inscription message title slogan
    quote effect surprise relief welcome possibility maze metaphor game party celebration competition conversation
    discussion meeting matter call trip journey ride walk run jump bite look smile gesture pose expression direction
    order row horizon ambience ambiance vibe theme tone hue spectacle pair group bunch same other one ones each
    everything something anything nothing someone anyone everyone midair mid-air all them attention interior
    exterior show version portion section environment setting setup shot close-up duty purpose meaning presence
    absence photo photograph image render rendering illustration snapshot photography artwork still closeup sketch
    depiction combination connection lot use touchdown swipe fun past future technology care process testament
    dedication challenge escape massage search help traffic fetch kilometer mile inch swing
    """
)
#: parts of a body: "with blue eyes" asks for no eyes of their own
PARTS = word_set(
    """
    eye hair ear nose mouth lip tooth tongue face head neck shoulder arm elbow hand finger thumb fist chest back
    belly leg knee foot toe tail paw claw hoof horn antler tusk wing beak fur mane whisker skin beard moustache
    mustache eyebrow feather scale fin trunk smile expression body hip lap nail petal leaf handle lid top
    """
)
#: what "no text" and the like speak of; they are told by Spec.text_free
TEXT_NOUNS = word_set(
    """
    text word letter lettering writing caption typography signage inscription character subtitle words letters
    phrase slogan title message headline heading saying quote
    """
)
#: nouns that have one form, or that mean one thing in the plural
ONE_FORM = word_set(
    """
    sheep deer fish goldfish jellyfish starfish moose bison elk shrimp squid aircraft spacecraft hovercraft salmon
    trout swine offspring series species scissors glasses eyeglasses sunglasses goggles pants trousers jeans shorts
    tights leggings pajamas pyjamas binoculars tweezers pliers tongs headphones earphones skis fries clothes
    overalls cactus octopus bus glass dress grass moss cross brass class boss mattress compass chess lens hippopotamus
    walrus platypus papyrus virus asparagus canvas atlas iris tennis gas hummus cutlery jewelry luggage furniture
    princess lioness actress waitress hostess goddess fortress fungus campus circus abacus citrus sports news mess
    business wilderness harness address access process fireworks bass christmas suspenders
    """
)
#: of those the ones that "a pair of" counts as one
PAIRED = word_set(
    """
    scissors glasses eyeglasses sunglasses goggles pants trousers jeans shorts tights leggings pajamas pyjamas
    binoculars tweezers pliers tongs headphones earphones overalls suspenders skis
    """
)
#: what is there without being counted
MASS = word_set(
    """
    grass snow sand water mud hay ice rice bread milk coffee tea juice soda beer wine honey jam cheese butter cereal
    popcorn corn pasta spaghetti food meat money cash jewelry luggage cutlery foliage smoke fire lightning moss
    makeup pottery paper chocolate candy trash garbage spinach garlic broccoli lettuce fruit fur bark confetti syrup
    sauce dough soup lego jello chess soap toothpaste perfume furniture salad toast armor armour ivy bamboo bacon
    sushi
    """
)
_IRREGULAR_PLURALS = {
    "people": "person",
    "persons": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "geese": "goose",
    "teeth": "tooth",
    "feet": "foot",
    "oxen": "ox",
    "dice": "dice",
    "knives": "knife",
    "wives": "wife",
    "lives": "life",
    "wolves": "wolf",
    "leaves": "leaf",
    "loaves": "loaf",
    "shelves": "shelf",
    "bookshelves": "bookshelf",
    "calves": "calf",
    "halves": "half",
    "elves": "elf",
    "thieves": "thief",
    "scarves": "scarf",
    "hooves": "hoof",
    "selves": "self",
    "cacti": "cactus",
    "octopi": "octopus",
    "fungi": "fungus",
    "lice": "louse",
    "snowmen": "snowman",
    "firemen": "fireman",
    "policemen": "policeman",
    "fishermen": "fisherman",
    "businessmen": "businessman",
    "gentlemen": "gentleman",
    "grandchildren": "grandchild",
    "buses": "bus",
    "busses": "bus",
    "lenses": "lens",
    "gases": "gas",
    "shoes": "shoe",
    "toes": "toe",
    "canoes": "canoe",
    "hoes": "hoe",
    "tomatoes": "tomato",
    "potatoes": "potato",
    "heroes": "hero",
    "mangoes": "mango",
    "mosquitoes": "mosquito",
    "volcanoes": "volcano",
    "buffaloes": "buffalo",
    "tornadoes": "tornado",
    "dominoes": "domino",
    "cookies": "cookie",
    "brownies": "brownie",
    "pies": "pie",
    "ties": "tie",
    "neckties": "necktie",
    "bowties": "bowtie",
    "zombies": "zombie",
    "selfies": "selfie",
    "hoodies": "hoodie",
    "huskies": "husky",
    "genies": "genie",
    "movies": "movie",
    **{
        f"{stem}s": stem
        for stem in word_set("veggie birdie smoothie doggie rookie pixie prairie magpie hippie collie beanie")
    },
    **{f"{stem}s": stem for stem in word_set("goalie budgie sweetie walkie-talkie foodie")},
    "axes": "axe",
    "quizzes": "quiz",
    "moths": "moth",
    "aliases": "alias",
    "caches": "cache",
    "avalanches": "avalanche",
    "headaches": "headache",
    "vertices": "vertex",
    "matrices": "matrix",
    "phenomena": "phenomenon",
    "bacteria": "bacterium",
}
#: an adjective or a verb that is part of a name here
COMPOUNDS = word_set(
    """
    potted_plant magnifying_glass new_york hot_dog red_panda polar_bear teddy_bear double_bass blue_whale blue_jay
    light_bulb soft_drink high_chair orange_juice orange_tree lemon_tree remote_control hard_hat top_hat bow_tie
    ice_cream ice_cube ice_skate ice_cap ice_rink ice_hockey glass_ceiling paper_towel paper_clip paper_airplane
    paper_plane paper_crane rubber_duck rubber_band rubber_stamp iron_throne flat_screen flat_iron fire_hydrant
    fire_truck fire_engine traffic_light stop_sign diamond_ring gold_medal silver_medal gold_coin straw_hat
    fishing_rod brown_sugar black_hole white_house black_board white_board green_house sweet_potato hot_tub
    hot_air_balloon hot_chocolate hot_sauce dry_cleaner open_sign french_fry french_fries french_toast french_horn
    guinea_pig sea_lion sea_turtle sea_horse toy_car toy_train toy_box toy_store wet_suit wet_floor_sign cold_brew
    wild_boar wild_cat big_ben big_wheel big_top peach_tree olive_oil olive_tree rose_garden coral_reef copper_mine
    square_root light_switch light_saber light_pole light_fixture round_table_knight electric_guitar yellow_jacket
    cotton_candy foam_finger wax_museum lime_tree stone_age cream_cheese cream_puff tall_ship single_malt half_moon
    full_moon new_moon crescent_moon crescent_wrench crystal_ball tow_truck human_being time_machine night_light
    night_stand night_sky side_table back_yard front_door front_yard top_shelf light_rail stained_glass_window
    diamond_necklace clay_pot flying_saucer toy_soldier
    """
)
#: a form of a verb before a noun, as part of its name: "dining table"
NOUN_MODIFIERS = word_set(
    """
    warning caution dining parking swimming washing sewing frying rolling cutting fishing ironing chewing shopping
    rocking wedding drinking measuring knitting ceiling building boxing bowling playing shipping recycling steering
    racing vending baking cooking hiking climbing gardening painting sailing skiing surfing training changing
    waiting living drawing writing reading wrapping mixing serving loading watering baseball football computer
    tennis stop
    """
)
#: forms in -ing that are things themselves
ING_NOUNS = word_set(
    """
    building painting ceiling ring string king wing swing earring clothing drawing wedding evening morning thing
    icing pudding dumpling duckling sibling railing awning crossing spring sling bling viking siding carving
    engraving etching nightingale starling seedling sapling stocking lightning bing frosting topping covering
    """
)
#: forms in -ed that are things themselves
ED_NOUNS = word_set(
    """
    bed seed weed shed sled reed steed feed breed bobsled moped biped speed tweed toolshed flatbed
    """
)


@lru_cache(8192)
def singular(word: str) -> str:
    """Returns the singular of a noun; a word that is none already stays.

    >>> [singular(word) for word in "mice knives cherries boxes glasses sheep scissors".split()]
    ['mouse', 'knife', 'cherry', 'box', 'glasses', 'sheep', 'scissors']
    """
    if word in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[word]
    if word.endswith("s") and word[:-1] in NOUNS and word not in ONE_FORM:
        return word[:-1]
    if word in ONE_FORM or word in MASS or not word.endswith("s") or word.endswith(("ss", "us", "is", "'s")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes")) or (
        word.endswith("uses") and word[:-2] in ONE_FORM | NOUNS
    ):
        return word[:-2]
    return word[:-1] if len(word) > 3 else word


def is_plural(word: str) -> bool:
    """Returns whether a noun is in the plural; nouns of one form are not."""
    return singular(word) != word


def is_noun(word: str) -> bool:
    """Returns whether the word, or its singular, is a thing that is known here."""
    return word in NOUNS or singular(word) in NOUNS
