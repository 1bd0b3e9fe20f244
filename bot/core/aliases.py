"""The words that aliases of freight are made of. Their order and number are part of every alias: leave them be."""

_ADJECTIVES = """
able agile airy alert amber ample apt arctic ardent atomic azure balmy beaming blazing bold bouncy brave breezy bright
brisk bronze bubbly buoyant calm candid careful casual cheery chilly civil classic clean clear clever cloudy coastal
cool copper coral cordial cosmic cozy crafty crimson crisp curious dainty dapper daring dashing dazzling deft devoted
direct downy dreamy dusky eager early earnest easy elated electric elegant emerald epic even exact fabled fair
faithful famous fancy fearless festive fiery fine firm fleet floral fluent fluffy fond frank free fresh friendly
frosty frugal gallant gentle genuine giddy gifted gilded glad gleaming global glossy golden graceful grand grateful
green handy happy hardy hasty hearty helpful heroic hidden honest hopeful humble icy ideal indigo inland ivory jade
jaunty jazzy jolly jovial joyful keen kind lasting lavish leafy level light lilac limber lively logical loyal lucid
lucky lunar magic majestic maroon mellow merry mighty mild misty modest mossy musical mystic native natural neat
nimble noble northern novel oaken olive opal open orderly original outer pastel patient peaceful pearly peppy placid
playful pleasant plucky plush poised polar polite prime proud punctual quaint quick quiet radiant rapid ready regal
relaxed robust rosy royal ruby rugged rustic sandy scarlet scenic secret serene shady sharp shiny silent silken silver
simple sincere sleek smart smooth snappy snowy snug sober solar solid sonic sparkling speedy spirited spry stable
starry stately steady stellar stoic sturdy subtle sunny super supple sure swift tactful tame tangy tender thankful
thrifty tidy timely tranquil trim true trusty upbeat urban useful valiant velvet verdant vibrant vivid warm wavy
western willing windy winged winter wise witty wooden worthy young zesty
"""
_ANIMALS = """
aardvark albatross alpaca anchovy angelfish ant anteater antelope armadillo auk avocet badger barnacle barracuda bat
beagle bear beaver bee beetle bison bittern blackbird bluebird boar bobcat bonobo buffalo bullfinch bunting butterfly
buzzard camel canary capybara caracal caribou carp cassowary cat caterpillar catfish chameleon chamois cheetah
chickadee chinchilla chipmunk cicada civet clam cod collie condor coot coral cormorant cougar cow coyote crab crane
cricket crow cuckoo curlew deer dingo dipper dolphin donkey dormouse dove dragonfly duck dugong dunlin eagle echidna
eel egret eider eland elephant elk emu falcon fennec ferret finch firefly flamingo flounder fox frog gannet gazelle
gecko gerbil gibbon giraffe gnu goat godwit goldfinch goose gopher goshawk grouse guanaco guppy gull haddock halibut
hamster hare harrier hawk hedgehog heron herring hippo hoopoe hornbill hornet horse hound hummingbird husky ibex ibis
iguana impala jackal jackdaw jaguar jay jellyfish junco kangaroo kestrel kingfisher kite kiwi koala koi krill kudu
ladybug lamprey lapwing lark lemming lemur leopard limpet linnet lion lizard llama lobster loon lynx macaque macaw
mackerel magpie mallard manatee mantis marlin marmot marten martin meerkat merlin mink minnow mole mongoose moose moth
mouse mule muskox narwhal newt nightingale nuthatch ocelot octopus okapi opossum orca oriole oryx osprey ostrich otter
owl ox oyster panda panther parrot partridge peacock pelican penguin perch petrel pheasant pigeon pika pike pipit
platypus plover pony porcupine porpoise puffin puma python quail quokka rabbit raccoon ram raven redstart reindeer
rhino robin rook salamander salmon sandpiper sardine scallop seahorse seal serval shark sheep shrew shrike shrimp
siskin skylark sloth snail snipe sparrow spider squid squirrel starfish starling stingray stoat stork sturgeon swallow
swan swift tamarin tanager tapir tarsier teal tern thrush tiger toad tortoise toucan trout tuna turtle vicuna viper
vole wagtail wallaby walrus warbler waxwing weasel whale whimbrel wigeon wildcat wolf wolverine wombat woodpecker wren
yak zebra
"""
ADJECTIVES = tuple(_ADJECTIVES.split())
ANIMALS = tuple(_ANIMALS.split())
