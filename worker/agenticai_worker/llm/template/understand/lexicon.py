"""Words of general English that the reading relies on. No trade's vocabulary belongs here."""


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


DETERMINERS = word_set(
    "a an the each every any some all this that these those its their his her our my your another "
    "no both either neither several many multiple various different few more most other one two "
    "three four five such which what whose certain zero"
)
SINGULAR_DETERMINERS = word_set("a an each every another one this")
PRONOUNS = word_set(
    "i we you he she it they them us me him everyone anyone someone nobody somebody anybody "
    "everybody itself themselves himself there who whom"
)
PREPOSITIONS = word_set(
    "of in on at by for with without from to into onto over under between among per about within "
    "during before after against across through via until till since as like than upon toward "
    "towards above below behind beside besides including inside outside along around off near"
)
CONJUNCTIONS = word_set("and or but nor plus & so yet")
SUBORDINATORS = word_set("where when while if because unless once whenever whereas although though")
MODALS = word_set("can could may might must shall should will would")
BE = word_set("is are was were be been being am")
HAVE = word_set("has have had having")
DO = word_set("do does did")
ADVERBS = word_set(
    "not never also only just already always often usually then too very still again once twice "
    "together optionally exactly currently automatically later soon now here online easily quickly "
    "simply typically normally even respectively instead either maybe please"
)
# Adjectives that describe the wish rather than the thing; dropped from names.
EMPTY_ADJECTIVES = word_set(
    "simple basic new small modern full complete robust scalable nice good great little easy fast "
    "clean different own various multiple several many single whole entire overall possible "
    "available-for specific particular certain corresponding related relevant respective same "
    "following next minimal lightweight secure restful optional required mandatory unique exact "
    "few all any some other more existing given appropriate proper individual separate additional "
    "extra main typical common local friendly open-source"
)
# Nouns for the software itself; never entities.
SOFTWARE = word_set(
    "api apis system systems app apps platform backend "
    "back-end frontend front-end rest crud endpoint endpoints interface interfaces ui gui website "
    "web webapp software solution database db server portal microservice "
    "microservices dashboard mvp prototype codebase json http https sql sqlite postgres python "
    "fastapi django java sdk cli bot backend-service web-app web-service"
)
# Nouns that name software only at the head of a description ("a tool to track hives").
SOFTWARE_HEADS = SOFTWARE | word_set(
    "something anything application applications service services program tool utility suite project product site page pages module"
)
# Nouns that turn what stands before them into the topic: "expense tracker", "library management".
TOPIC_HEADS = word_set(
    "tracker manager planner organizer organiser scheduler directory catalog catalogue register "
    "registry management tracking administration planning scheduling organizing bookkeeping "
    "system app application api service platform backend database software tool website portal "
    "dashboard log logbook list diary journal store workflow handling crud microservice"
)
# Too vague to be a thing of the domain.
VAGUE = word_set(
    "data information info detail details overview record way thing ability support feature function "
    "functionality history time number amount list set stuff use kind type option lot need "
    "requirement access attribute entity value rest end start example purpose management summary "
    "status state day week month year english text context word hello world fun idea basis side "
    "point view search filter total sum average count report statistic description name title price "
    "cost id note relationship usual everything anything something nothing endpoint people moment "
    "chance care sure able date email phone crud api user interface instruction figure permission "
    "overlap conflict minute hour second kg metre meter euro dollar future past today tomorrow "
    "yesterday period change request-log others same help thanks quantity weight length height"
)
GENERIC_ACTORS = word_set(
    "user users admin admins administrator administrators i we you they it people staff "
    "everyone anyone someone us operator operators system app api "
    "platform software who nobody employee-only somebody anybody one there this that he she "
    "visitor-of end-user end-users"
)

HAVE_VERBS = word_set(
    "have include contain hold comprise capture need require carry consist feature specify "
    "record store keep track log note list mention show measure save state get"
)
OWNED_VERBS = word_set("have include contain hold comprise consist")
BELONG_PARTICIPLES = word_set(
    "owned assigned linked associated related attached connected tied made created written "
    "placed located stored kept held managed led run supervised taught given performed done "
    "carried handled operated produced supplied provided published hosted organised organized "
    "grouped listed booked-for issued conducted prepared recorded planted installed mounted housed "
    "parked moored employed treated composed directed designed built sent delivered received "
    "shipped ordered requested reported submitted authored taken filed registered coached "
    "sponsored funded allocated scheduled served brewed grown filled donated harvested collected "
    "reviewed approved inspected based brought played sung cooked driven flown signed"
)
MANAGE_VERBS = word_set(
    "manage track maintain store record keep handle organise organize administer save enter log "
    "list view see browse show display find get retrieve look monitor read access add create edit "
    "update delete remove register support include cover offer provide capture collect change "
    "define set configure modify input document catalogue catalog know want need like search "
    "filter build make write develop design implement help model represent have use allow let "
    "enable run keep hold put give query fetch return-list schedule plan save archive-of count "
    "report mark flag export import upload download print sort group compare calculate compute generate "
    "send notify email call work start-with focus concern deal contain expose"
)
VIEW_VERBS = word_set(
    "see view list show display find get retrieve browse search filter know report look query "
    "fetch read want count check monitor compare"
)
BUILD_VERBS = word_set("build create make write develop design implement generate need want")
# Verbs that say little without their object: "make a booking", "give a lesson".
LIGHT_VERBS = word_set(
    "make place do take give put submit file create post write leave raise report log record "
    "schedule receive hold run organise organize perform conduct issue plan open start prepare "
    "upload send complete request lead teach supervise own attend publish"
)
# Verbs that move a thing from one state to another, in any trade: base -> the state reached.
STATE_VERBS: dict[str, str] = {
    "cancel": "cancelled",
    "confirm": "confirmed",
    "complete": "completed",
    "approve": "approved",
    "reject": "rejected",
    "decline": "declined",
    "accept": "accepted",
    "archive": "archived",
    "publish": "published",
    "close": "closed",
    "reopen": "open",
    "return": "returned",
    "finish": "finished",
    "start": "started",
    "pause": "paused",
    "resume": "resumed",
    "activate": "active",
    "deactivate": "inactive",
    "suspend": "suspended",
    "submit": "submitted",
    "verify": "verified",
    "release": "released",
    "dispatch": "dispatched",
    "ship": "shipped",
    "deliver": "delivered",
    "receive": "received",
    "resolve": "resolved",
    "withdraw": "withdrawn",
    "retire": "retired",
    "lock": "locked",
    "unlock": "unlocked",
    "block": "blocked",
    "unblock": "unblocked",
    "sign": "signed",
    "settle": "settled",
    "refund": "refunded",
    "discharge": "discharged",
    "check_in": "checked_in",
    "check_out": "checked_out",
    "void": "voided",
    "escalate": "escalated",
    "postpone": "postponed",
    "abandon": "abandoned",
    "expire": "expired",
    "revoke": "revoked",
    "terminate": "terminated",
    "renew": "renewed",
    "acknowledge": "acknowledged",
    "fulfil": "fulfilled",
    "fulfill": "fulfilled",
    "unpublish": "draft",
    "restore": "restored",
    "discard": "discarded",
    "scrap": "scrapped",
    "refuse": "refused",
    "abort": "aborted",
}
# States that end a life early, and states that end it well.
BAD_ENDS = word_set(
    "cancelled canceled rejected declined failed withdrawn expired lost refused abandoned void "
    "voided no_show terminated revoked denied discarded dropped broken damaged missed aborted "
    "deceased retired scrapped"
)
GOOD_ENDS = word_set(
    "completed done finished closed returned archived delivered paid resolved settled fulfilled "
    "discharged collected checked_out refunded sold graduated"
)
FIRST_STATES = word_set(
    "new draft requested pending open planned scheduled submitted created available active "
    "proposed quoted todo to_do waiting received booked registered ordered enquired prospective "
    "unpaid queued reserved started"
)
# Verb -> the noun for one occurrence of it, where the suffix rules would not find it.
NOMINALS: dict[str, str] = {
    "borrow": "loan",
    "lend": "loan",
    "loan": "loan",
    "rent": "rental",
    "hire": "hire",
    "buy": "purchase",
    "purchase": "purchase",
    "sell": "sale",
    "reserve": "reservation",
    "register": "registration",
    "enroll": "enrolment",
    "enrol": "enrolment",
    "attend": "attendance",
    "order": "order",
    "pay": "payment",
    "deliver": "delivery",
    "ship": "shipment",
    "subscribe": "subscription",
    "apply": "application",
    "inspect": "inspection",
    "review": "review",
    "visit": "visit",
    "request": "request",
    "treat": "treatment",
    "examine": "examination",
    "assess": "assessment",
    "repair": "repair",
    "transport": "transport",
    "transfer": "transfer",
    "charter": "charter",
    "harvest": "harvest",
    "bid": "bid",
    "offer": "offer",
    "join": "membership",
    "sponsor": "sponsorship",
    "employ": "employment",
    "appoint": "appointment",
    "adopt": "adoption",
    "collect": "collection",
    "produce": "production",
    "audit": "audit",
    "call": "call",
    "claim": "claim",
    "test": "test",
    "vote": "vote",
    "play": "play",
    "plant": "planting",
    "use": "usage",
    "move": "movement",
    "measure": "measurement",
    "pledge": "pledge",
    "observe": "observation",
    "prescribe": "prescription",
    "describe": "description",
    "admit": "admission",
    "permit": "permit",
    "discover": "discovery",
    "recover": "recovery",
    "maintain": "maintenance",
    "service": "service",
    "perform": "performance",
    "respond": "response",
    "answer": "answer",
    "comment": "comment",
    "like": "like",
    "follow": "follow",
    "check": "check",
    "dive": "dive",
    "trip": "trip",
    "exchange": "exchange",
    "supply": "supply",
    "contract": "contract",
    "quote": "quote",
    "recommend": "recommendation",
    "withdraw": "withdrawal",
    "deposit": "deposit",
    "book": "booking",
    "catch": "catch",
    "diagnose": "diagnosis",
    "hand-over": "handover",
    "sign-up": "registration",
    "pick-up": "pickup",
    "drop-off": "drop_off",
    "audition": "audition",
    "score": "score",
    "screen": "screening",
    "compete": "competition",
    "race": "race",
    "rate": "rating",
    "sow": "sowing",
    "sample": "sample",
    "contribute": "contribution",
    "receive": "receipt",
    "sign": "signature",
    "acquire": "acquisition",
    "consult": "consultation",
    "vaccinate": "vaccination",
    "accommodate": "accommodation",
    "dispatch": "dispatch",
    "check-out": "checkout",
    "complain": "complaint",
    "propose": "proposal",
    "refer": "referral",
    "arrive": "arrival",
    "depart": "departure",
    "fail": "failure",
    "store": "storage",
    "occupy": "occupancy",
    "lease": "lease",
    "swap": "swap",
    "trade": "trade",
}
VERBS = word_set(
    "accept access accommodate acquire activate add adjust administer admit adopt aggregate allocate "
    "allow amend analyse analyze announce answer apply appoint approve archive arrange arrive ask "
    "assess assign attach attend audit award bake be become begin belong bid bill block book borrow "
    "breed brew bring browse build buy calculate call can cancel capture care carry catalogue "
    "catalog categorise categorize celebrate change charge chart charter check choose claim classify "
    "clean close coach collect combine come comment commission communicate compare compete complain "
    "complete compose comprise compute conduct configure confirm connect consist consult consume "
    "contact contain contribute control convert cook coordinate count cover create cultivate cut "
    "dance deactivate decide decline define delete deliver depart deploy deposit describe design "
    "determine develop direct discharge discover dispatch display distribute divide do document "
    "donate download draw drive drop earn edit elect email employ enable end enforce enrol enroll "
    "ensure enter equip escalate estimate evaluate examine exceed exchange expire export expose "
    "fail feed fetch file fill filter find finish fire fish fit fix flag fly follow forecast forward "
    "fulfil fulfill fund gather generate get give glaze go grade grant groom group grow guide handle "
    "happen harvest have help hire hold host house identify implement import improve include inform "
    "inspect install instruct insure integrate interview investigate invite invoice issue join judge "
    "keep know label land last launch lay lead leave lend let like link list load loan locate lock "
    "log look lose mail maintain make manage manufacture mark match measure meet mention merge "
    "message milk mix model modify monitor moor move name need negotiate note notify observe obtain "
    "occupy offer open operate order organise organize overlap own pack paint park participate pass "
    "pause pay perform permit pick place plan plant play pledge point post postpone practise "
    "practice predict prepare prescribe present prevent print process produce program promote "
    "propose protect provide publish purchase put query race raise rate reach read receive "
    "recommend record recover refer reference refund register reject relate release remember remind "
    "remove rename renew rent repair replace report represent request require reschedule rescue "
    "research reserve resolve respond rest restock restore restrict resume retire retrieve return "
    "review revoke ride route run sail sample save scan schedule score search see seek select sell "
    "send separate serve service set settle share ship show sign sing sit sort sow specify spend "
    "split sponsor start state stay stop store study submit subscribe suggest supervise supply "
    "support suspend swap tag take teach tell terminate test touch track trade train transfer "
    "translate transport travel treat trigger tune understand undergo unlock update upload use "
    "vaccinate validate verify view visit void volunteer vote wait walk want warn wash watch water "
    "wear weigh welcome win withdraw work write forge bottle stitch sew weave smoke roast press "
    "dry age ferment label mount frame polish sharpen bury cremate embalm dialyse dialyze hatch "
    "catch capture hunt trap ring lodge tutor mentor stage curate exhibit restore conserve ferry moor tow escort "
    "nurse bathe board wean shear milk slaughter butcher vacate prune fertilise fertilize irrigate weed "
    "translate transcribe interpret edit proofread print bind illustrate film photograph compose arrange "
    "rehearse conduct audition cast direct judge referee umpire score coach train compete qualify "
    "install calibrate maintain service overhaul dismantle assemble weld cast machine solder wire plumb "
    "pick brew distil distill blend taste pour serve bake grill cater deliver dispatch courier "
    "diagnose medicate immunise immunize operate transplant transfuse screen swab scan x-ray "
    "adopt foster rehome microchip spay neuter shelter rescue feed walk exercise lecture enrol "
    "live reside sleep hang stand command inoculate spray brush wipe turn discard reduce increase yield "
    "warn shortlist invest inherit exist sponsor nominate elect attract emit absorb deduct enjoy "
    "attain achieve succeed replace supersede fund grant bundle pour iron bleach dye knit "
    "stain varnish sand carve engrave tan cure slice chop peel crush grind sift knead proof decorate "
    "collect convene moderate adjourn vet brief debrief escort patrol guard watch "
    "inflate patch lubricate grease oil tighten loosen trim sculpt glue varnish restring revoice "
    "charge dock refuel recharge climb swim fence throw shoot wrap ring band tow board dive insert ignore forget disregard reveal execute optimise optimize automate trigger sync"
)
IRREGULAR_PARTICIPLES: dict[str, tuple[str, ...]] = {
    "take": ("took", "taken"),
    "give": ("gave", "given"),
    "write": ("wrote", "written"),
    "send": ("sent",),
    "lend": ("lent",),
    "buy": ("bought",),
    "sell": ("sold",),
    "hold": ("held",),
    "keep": ("kept",),
    "make": ("made",),
    "pay": ("paid",),
    "lay": ("laid",),
    "put": ("put",),
    "set": ("set",),
    "cut": ("cut",),
    "read": ("read",),
    "lead": ("led",),
    "meet": ("met",),
    "find": ("found",),
    "leave": ("left",),
    "lose": ("lost",),
    "bring": ("brought",),
    "build": ("built",),
    "teach": ("taught",),
    "feed": ("fed",),
    "grow": ("grew", "grown"),
    "throw": ("threw", "thrown"),
    "draw": ("drew", "drawn"),
    "wear": ("wore", "worn"),
    "ride": ("rode", "ridden"),
    "drive": ("drove", "driven"),
    "break": ("broke", "broken"),
    "choose": ("chose", "chosen"),
    "withdraw": ("withdrew", "withdrawn"),
    "spend": ("spent",),
    "run": ("ran", "run"),
    "begin": ("began", "begun"),
    "sing": ("sang", "sung"),
    "swim": ("swam", "swum"),
    "fly": ("flew", "flown"),
    "see": ("saw", "seen"),
    "sew": ("sewed", "sewn"),
    "sow": ("sowed", "sown"),
    "win": ("won",),
    "seek": ("sought",),
    "breed": ("bred",),
    "weave": ("wove", "woven"),
    "know": ("knew", "known"),
    "show": ("showed", "shown"),
    "tell": ("told",),
    "get": ("got",),
    "do": ("did", "done"),
    "go": ("went", "gone"),
    "come": ("came", "come"),
    "let": ("let",),
    "undergo": ("underwent", "undergone"),
    "understand": ("understood",),
    "have": ("had",),
    "become": ("became", "become"),
    "split": ("split",),
    "bid": ("bid",),
    "fit": ("fitted",),
    "shoot": ("shot",),
    "ring": ("rang", "rung"),
    "sit": ("sat",),
    "be": ("was", "been"),
    "forecast": ("forecast",),
    "catch": ("caught",),
    "hide": ("hid", "hidden"),
}
DOUBLING = word_set(
    "cancel submit commit admit refer transfer label travel enrol model program permit equip control "
    "prefer fulfil format"
)
