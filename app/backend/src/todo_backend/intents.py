"""What a message asks for: one of a fixed set of requests, in the ways that people say it in five languages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from todo_backend import slips
from todo_backend.stems import is_past

Kind = Literal[
    "help", "thanks", "bye", "keep", "how", "add", "add_each", "list", "search", "question", "complete", "delete", "restore", "reopen", "rename",
    "change", "reschedule", "reschedule_at_end", "unschedule", "prioritise", "lower_to_normal", "may_prioritise", "drop", "note", "read_note", "clear_note", "tag", "untag", "did", "set_to", "two", "condition", "meant", "wrong", "unknown",
]  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A kind of request, and the named parts of the message."""

    kind: Kind
    said: Mapping[str, str] = field(default_factory=dict)
    words: str = ""


_POLITE = re.compile(
    r"^(?:(?:ple?a?se?(?: to)?|pls|plz|hey|hi|hello|wait|just kidding|thx|ty|kk?|good (?:morning|afternoon|evening|day)|hallo|guten (?:morgen|tag|abend)|hola|bonjour|salut|salam|dear|thank you|thanks|ok|okay|so|oh|well|yo|actually|and|also|now|just|then|hm+|um+|uh+|ugh|argh|ah|aw|damn|dude|bro|man|guys|oops|whoops|sorry|kindly|btw|by the way|quick one|(?:to-?do|bot|assistant)(?=,? (?:add|delete|remove|show|list|mark|complete|remind)\b)|bitte|por favor|s'il te pla[iî]t|s'il vous pla[iî]t|stp|svp|براہ کرم|"
    r"(?:can|could|would|will) (?:you|u|ya)(?: please| just| kindly| also| maybe)*|be so (?:kind|good|nice) (?:as )?to|(?:would|could) you be so (?:kind|good|nice) (?:as )?to|i(?:'d| would) be (?:grateful|glad|happy) if you (?:could|would)|i wonder if you could|do me a favou?r and|is it possible to|i(?:'d| would| should) like (?:you )?to|i want you to|i need you to|i want(?: to)?(?= add\b)|to(?= (?:add|delete|remove|show|mark|list)\b)|you can|you (?:should|may)|let'?s|let me|i(?:'d| would) like you to|go ahead and|"
    r"(?:i(?:'d| would) (?:like|love)|i want|i need|i have) to(?= (?:(?:see|view) (?:(?:all|the|my|what|everything|overdue|open|done) )*(?:list|to-?dos?|tasks?|items?|overdue|what|everything|done|open|all)\b|list|add|mark|rename|reschedule|postpone|check off)\b)|"
    r"(?:could|can|may) (?:i|we)(?: please)?(?= (?:see|view|have|get)\b)|kannst du|könntest du|puedes|peux-tu|pourrais-tu)[\s,.!]+)+(?=\S)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,]+(?:please|pls|plz|sir|madam|ma'am|dear|mate|buddy|bro|thanks|thank you|thx|for me|right away|right now|ok|okay|will you|would you|if you can|if you (?:would|could) be so kind|if you don't mind|asap please|at last|(?<=,) (?:so |please )?(?:tick|check|cross|mark) (?:it|that) (?:off|(?:as )?done)|(?<=,) (?:we|i) (?:don't|do not|no longer) need (?:it|that)(?: any ?more)?|(?<=,) remind me|bitte|danke|por favor|gracias|s'il te pla[iî]t|s'il vous pla[iî]t|stp|svp|merci"
    r"|(?:from|off|out of|of) (?:my|the|this) (?:to-?do |todo |task |shopping |grocery )?list|von (?:meiner|der) liste|de (?:mi|la) lista|de (?:ma|la) liste))+$",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:ok(?:ay)?,? |great,? |perfect,? |cool,? |many |awesome,? )*(?:thanks?|thank you|thx|ty|cheers|danke(?: schön)?|vielen dank|gracias|muchas gracias|merci(?: beaucoup)?|شکریہ|shukriya)(?: you)?(?: so much| a lot| very much| again| a bunch)?",
    re.IGNORECASE,
)
_ITEMS = r"(?:to-?dos?|tasks?|items?|list|reminders?|things?|entries)"
_ITEM = r"(?:to-?do|task|item|reminder|entry|thing)"
_TO_LIST = r"(?:\s+(?:to|on|onto|in|into)\s+(?:(?:my|the|our)\s+(?:(?:to-?do|todo|task|shopping|grocery)\s+)?|(?:to-?do|todo|task|shopping|grocery)\s+)list)?"
_REST = r"(?P<rest>(?<=list),? (?:due|by|for|on|at|tomorrow|today) .+)?"
_LEVEL = (
    r"(?P<level>(?:an?\s+)?(?:!?(?:high|highest|low|lowest|normal|medium|urgent|important|top|critical|unimportant)(?:[\s-]+(?:prio(?:rity)?|importance))?|prio(?:rity)?\s+(?:high|low|normal|medium)|p[1-4]"
    r"|wichtig|dringend|hohe priorität|niedrige priorität|urgente|importante|prioridad (?:alta|baja)|importante?|haute priorité|priorité haute))"
)
_WHICH = r"(?P<which>.+?)"
_ADVERB = r"(?: (?:actually|really|quite|fully|still|yet))"
_PRIO = r"prio(?:rity)?"
_DATE_NAME = r"(?:due\s*-?\s*date|due\s+time|date|deadline|time|due)"

# Each line of a kind is one way to say it. Order matters: what is said about a part of a todo (its date, its title)
# comes before what is said about the whole, and adding comes last, since anything can follow "add".
_PHRASES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("help", (
        r"(?:help|hello|hi|hey|yo|good (?:morning|day|afternoon|evening)|hallo|hola|bonjour|salut|guten (?:tag|morgen)|buenos d[ií]as|hilfe|ayuda|aide|سلام|السلام علیکم|مدد)(?: there| me| todo| bot)?",
        r"(?:what|which|how) (?:can|could|do) (?:you|i)(?: even)? (?:do|say|help(?: me)?(?: with)?|ask|use (?:this|you))(?: here| for me)?|how does (?:this|it) work|what (?:are|is) (?:you|this)|who are you|was kannst du|qué puedes hacer|que peux-tu faire",
    )),
    ("thanks", (rf"{_THANKS.pattern}(?:[,!. ]+.{{0,20}})?", r"(?:great|perfect|cool|nice|awesome|good job|well done|wonderful|excellent|super|got it|alright|all right|ok|okay|fine)(?: (?:job|work|one))?")),
    ("bye", (r"(?:good ?)?bye(?: bye)?|see you(?: later)?|good ?night|tschüss|adiós|au revoir|خدا حافظ",)),
    ("wrong", (
        r"(?:(?:oh (?:dear|no)|oops|no|sorry)[,.!]* )*(?:(?:that|this|it) (?:was|is) (?:a mistake|wrong|not what i (?:meant|wanted|said)|the wrong one|an accident)|wrong (?:one|todo|task)|not that one|my mistake|that's (?:wrong|not what i (?:meant|wanted|said)|not right))", r"(?:(?:oh (?:dear|no)|oops|no|sorry|wait)[,.!]* )*(?:i (?:did not|didn't) mean (?:to(?: do| say)? )?(?:that|this|it)|wait|oh (?:dear|no))",
        r"(?:(?:oh (?:dear|no)|oops|no|sorry|wait)[,.!]* )*(?:actually,? )?i (?:did not|didn't|haven't|have not)(?: yet| actually| really)?",
    )),
    ("meant", (r"(?:no,? |wait,? |not (?:that|this|it)(?: one)?,? |oops,? |sorry,? |nein,? )*(?:i meant?|meant|i said|ich meinte?|quise decir|je voulais dire)(?: to say)? (?P<which>.+)",)),
    ("drop", (r"(?:no more|no need (?:to|for)|no need|there is no need (?:to|for)) (?P<which>.+?)(?: any ?more)?", r"forget (?!to\b|about\b|it\b)(?P<which>.+)", r"(?:i|we) (?:won't|will not) (?:need|do|make) (?P<which>.+)", r"(?:i |we )?(?:don't|do not|no longer|needn't) (?:have|want) to (?P<which>.+?)(?: any ?more| now)?", r"(?:lose|scratch|axe|nix|dump|ditch|toss|chuck|archive|skip|strike|nuke|zap|ax) (?P<which>.+)")),
    ("keep", (r"(?:do not|don't|dont|never|never ever|stop|nicht|no)\s+(?!forget|need|have|let me forget|due|date|deadline|longer)(?P<what>.+)", r"never ?mind|forget (?:it|about it)|no|nope|nothing|cancel that",)),
    ("restore", (r"(?:restore|undelete|bring back|recover|un-delete|put back|get back) (?P<which>.+)",)),
    ("note", (
        r"(?:add|attach|write|put|make|leave)(?: an?| the)? (?:notes?|comments?|descriptions?) (?:to|for|on|in) (?P<which>.+?)(?:\s*:\s*|,? (?:saying|that says|with) )(?P<note>.+)", r"notes? (?:to|for|on|of) (?!(?:my)?self\b)(?P<which>[^:]+?)\s*:\s*(?P<note>.+)", r"(?:add|put|write) (?P<note>[\"“'].+[\"”']) (?:to|in|into) the notes? (?:of|on|for) (?P<which>.+)",
    )),
    ("clear_note", (r"(?:delete|remove|clear|erase|drop) (?:the |my |all )*(?:notes?|comments?|descriptions?) (?:of|from|on|for|to) (?P<which>.+)",)),
    ("read_note", (r"(?:what(?:'s| is| are)|show|read|see|view)(?: me)? (?:the |my )?(?:notes?|comments?|descriptions?) (?:of|on|for|to|about) (?P<which>.+)",)),
    ("how", (r"how (?:do|can|could|should|would) (?:i|you|we|one) .+|how to .+|why .+|what (?:happens|if) .+",)),
    ("question", (r"how (?:long|many (?:days|weeks|hours)) (?:is it |are there |do i have )?(?:left )?(?:till|until|'til|before|to) (?P<what>.+)", r"(?:at )?(?:what|which) (?:time|day|date) (?:is|are|was|do i have|does) (?P<what>.+)",)),
    ("list", (
        r"how (?:many|much) .+", r"count(?: (?:them|all|my todos|my tasks))?", r"(?:count|number of) (?P<q>.+)",
        r"(?:what|which)(?:'s|s)? .+|what's|what now|what",
        r"(?:show|list|display|see|view|pull up|bring up|go over|read out)(?: me| us)?(?: (?P<q2>.+))?", r"(?:get|give|tell|read|print|send)(?: me| us)(?: .+)?|(?:get|read|print)(?: out)? (?:my|all|the) (?:open |full )?(?:list|todos|tasks)\b.*", r"(?:sort|order) .+",
        rf"(?:(?:my|the|all|open|done|completed|overdue|today'?s?|tomorrow'?s?|urgent|important|(?:high|low|normal|medium|top)[\s-]prio(?:rity)?|current|late|everything|upcoming|pending|remaining)\s+)*(?:{_ITEMS}|overdue|agenda|schedule|plan)(?:\s+(?:for|due|on|this|today|tomorrow|next|tagged|with|without|about|by|sorted|ordered|that|in|from|marked|labell?ed|called)\b.*)?",
        r"#[^\s#]+", r"(?:did|have) (?:i|we) (?:miss(?:ed)?|forget|forgotten) (?:anything|something|any)\b.*", r"(?:newest|latest|oldest) first|(?:sorted |ordered )?by (?:due date|date|priority|title|name|deadline)|alphabetically", r"(?:am i|have i (?:got )?anything|anything|any (?:todos?|tasks?|items?|things?)|is there (?:anything|something|any|a todo|a task)|are there any|do i have|have i got|got any|what else)\b.*",
        r"(?:today|tomorrow|this week|next week|overdue|upcoming|due (?:today|tomorrow|this week))",
        r"(?:zeig|zeige|liste)(?: mir)?(?: .+)?|was (?:ist|steht|muss|habe|sind|gibt) .+|welche .+|meine (?:aufgaben|liste|todos)|wie viele .+",
        r"(?:muestra|muéstrame|mostrar|lista|ver|enseña|enséñame|dime)(?: .+)?|(?:qué|que|cuáles|cuántas) .+|mis (?:tareas|pendientes)|mi lista",
        r"(?:montre|montre-moi|affiche|liste|voir)(?: .+)?|(?:qu'est-ce qu[ei]?|quelles?|que dois|qu'ai|combien) ?.+|(?:mes|ma) (?:tâches|liste)",
        r".*(?:دکھاؤ|دکھائیں|دکھا دو|بتاؤ|بتائیں)|.*(?:کیا کرنا ہے|کیا ہے|کیا باقی ہے|کیا کام ہے|کیا کام ہیں)|میری فہرست|.*(?:dikhao|dikha do|dikha dein|batao)|.*kya (?:karna|kaam) hai",
    )),
    ("search", (
        r"(?:find|search(?: for)?|look (?:for|up)|filter(?: by)?|where(?:'s| is)) (?P<what>.+)", r"(?:suche?|finde) (?P<what>.+)", r"(?:busca|buscar|encuentra) (?P<what>.+)", r"(?:cherche|trouve|recherche) (?P<what>.+)", r"(?P<what>.+?) (?:تلاش کرو|تلاش کریں|ڈھونڈو)",
    )),
    ("unknown", (r"i (?:should|could|would|might)(?: have|'ve) \w+(?:ed|en|t)\b.*",)),
    ("question", (r"did (?=(?:i|we|you|my|he|she|they|anyone|someone)\b)(?P<what>.+)", r"(?:is|are|was|were|does|do(?= (?:i|we|you|they|any|these|those)\b)|have|has|should|shall|will|when|where|who|whose|whether)(?:'s)? (?P<what>.+)",)),
    ("unschedule", (
        rf"(?:remove|delete|clear|drop|unset|cancel|erase) (?:the )?{_DATE_NAME} (?:from|of|on|for) {_WHICH}", rf"(?:remove|delete|clear|drop) {_WHICH}'s {_DATE_NAME}",
        rf"(?:set|make|give|leave) {_WHICH} (?:with |to )?(?:no|without(?: a)?) (?:due )?(?:date|deadline)", rf"{_WHICH} (?:has |have |with |to )?(?:no|without(?: a)?) (?:due )?(?:date|deadline)(?: any ?more)?", rf"unschedule {_WHICH}", rf"(?:no|without(?: a)?) (?:due )?(?:date|deadline) (?:for|on) {_WHICH}", rf"{_WHICH} (?:does not|doesn't) have a (?:due )?(?:date|deadline)",
    )),
    ("reopen", (r"(?:put|add|bring|get|move) (?P<which>.+?) back(?: (?:on|onto|to|in|into) (?:my|the) (?:to-?do |todo )?list)?",)),
    ("lower_to_normal", (
        rf"(?:remove|drop|take|clear) (?:the )?{_LEVEL} (?:from|off|of) {_WHICH}",
    )),
    ("may_prioritise", (
        rf"{_WHICH} (?:is|are)(?:n't| not) (?:that |so |very |really |as |too )*(?:important|urgent|high priority)(?: any ?more| now| after all)?",
        rf"(?P<level>(?:high|low|normal|medium|top)[\s-]{_PRIO}) (?:for|on) (?P<which>[^:]+)",
    )),
    ("add", (
        r"(?:i )?(?:must not|mustn't|should not|shouldn't|can't|cannot|better not|do not want to|don't want to) forget(?: to| about)? (?P<what>.+)",
        r"notes? to (?:my)?self(?: to)?\s*[:,–-]?\s*(?P<what>.+)",
        r"(?:put|stick|throw|pop) (?P<what>.+?) (?:on|onto|in|into|to) (?:my|the) (?:(?:to-?do|todo|task|shopping|grocery) )?(?:list|todos|to-dos|tasks)(?P<rest> (?:for|on|by|due|at|tomorrow|today|next|this|with|#|!).*)?",
    )),
    ("untag", (r"(?:remove|delete|drop|take(?: off)?) (?:the )?(?P<tags>#?\w[\w-]*) (?:tag|label) (?:from|off|of|on) (?P<which>.+)", r"(?:remove|delete|drop|take) (?:the )?(?:tags? |label )?(?P<tags>#\S+|(?<=tag )\S+) (?:tag |label )?(?:from|off|of) (?P<which>.+)", r"untag (?P<which>.+?)(?: (?:from|as|with) (?P<tags>.+))?",)),
    ("tag", (
        r"(?:tag|label) (?P<which>.+?) (?:with|as) (?P<tags>.+)", r"(?:tag|label) (?P<which>.+?) (?P<tags>#\S+(?:[\s,]+#\S+)*)", r"(?:tag|label) (?P<which>#?\d+|it|that|the \w+ one) (?P<tags>[\w-]+)", r"(?:add|put|attach|set|give) (?:the |an? )?(?:tags? |labels? )(?P<tags>.+?) (?:to|on|onto) (?P<which>.+)",
        r"(?:add|put|attach) (?:the |an? )?(?P<tags>[\w-]+) (?:tag|label) (?:to|on|onto) (?P<which>.+)", r"(?:add|put|attach) (?P<tags>#\S+(?:(?:,| and)? #\S+)*) (?:to|on) (?P<which>.+)", r"(?:add|put) (?P<which>(?:it|this|that|.+?)) (?:to|under|in) (?P<tags>#\S+)", r"give (?P<which>.+?) the (?:tag|label) (?P<tags>.+)",
    )),
    ("prioritise", (
        rf"(?:prio|priority)(?: of| for)? {_WHICH} (?:to |= ?)?{_LEVEL}", rf"(?:make|set|mark) {_WHICH} (?P<down>less (?:important|urgent))", rf"(?:make|set|mark) {_WHICH} (?P<up>more (?:important|urgent))",
        r"(?P<down>lower|decrease|reduce|drop)(?: the)? priority (?:of|for|on) (?P<which>(?:(?! (?:to|as|at) ).)+)", r"(?P<up>raise|increase|bump(?: up)?|boost)(?: the)? priority (?:of|for|on) (?P<which>(?:(?! (?:to|as|at) ).)+)", rf"(?P<down>deprioriti[sz]e) {_WHICH}",
        rf"(?:set|change|raise|lower|increase|decrease|make|put|update|bump(?: up)?)(?: the)? {_PRIO} (?:of|for|on) {_WHICH}(?: from \w+)? (?:to|as|at) {_LEVEL}", rf"(?:make|set|mark|give|flag|put|change|update|turn|bump|move|upgrade|downgrade|demote|promote|escalate|raise|lower) {_WHICH}(?:'s priority)? (?:(?:to|as|at|with|on|into|up to|down to) )?(?:be )?{_LEVEL}", rf"(?:set|give|put|assign)(?: an?)? {_LEVEL} (?:for|to|on) {_WHICH}", rf"(?P<level>(?:high|low|normal|medium|top)[\s-]{_PRIO}) (?:for|on) (?P<which>[^:]+)",
        rf"{_WHICH}(?:'s priority)? (?:is|are|has|should be|must be|needs to be|should have|ist|es|est) (?:now |really |very |actually |super |also |a |quite )*{_LEVEL}(?: (?:now|again|too|after all|from now on))?", rf"{_WHICH},? {_LEVEL.replace('(?:[', '(?:[', 1)}(?<=priority)",
        rf"{_WHICH}[:,]? (?P<level>prio(?:rity)? (?:high|low|normal|medium))", rf"(?:priori[ts]i[sz]e|prioriti[sz]e) {_WHICH}", rf"(?:set|markiere|mache?|setze) {_WHICH} (?:als |auf )?{_LEVEL}", rf"(?:marca|pon|haz) {_WHICH} (?:como |con )?{_LEVEL}", rf"(?:marque|mets|rends) {_WHICH} (?:comme |en )?{_LEVEL}",
    )),
    ("rename", (
        r"(?:rename|retitle|call) (?P<which>.+?) (?:to|into|as|=>|->) (?P<title>.+)", r"(?:change|edit|update|set) (?:the )?(?:title|name|text|wording) of (?P<which>.+?) (?:to|into|as) (?P<title>.+)", r"(?:change|edit|update) (?P<which>.+?)'s (?:title|name|text) (?:to|into) (?P<title>.+)",
        r"(?:rename|retitle|call) (?P<which>.+?) (?P<title>[\"“'].+[\"”'])", r"(?:benenne) (?P<which>.+?) (?:in|zu) (?P<title>.+?)(?: um)?", r"(?:renombra|cambia el nombre de) (?P<which>.+?) (?:a|como) (?P<title>.+)", r"(?:renomme) (?P<which>.+?) (?:en) (?P<title>.+)",
    )),
    ("rename", (r"(?P<rename>rename|retitle) (?P<which>.+)",)),
    ("reschedule", (
        rf"(?:set|add|put|give)(?: an?| the)? {_DATE_NAME} (?:of|for|on|to) {_WHICH}\s*(?::|=|->|,)\s*(?P<when>.+)",
        rf"(?:change|set|move|update|push|edit|make|put)(?: the| an?)? {_DATE_NAME} (?:of|for|on) {_WHICH} (?:to|as|at|for|on|until|back to|=) (?P<when>.+)", rf"(?:change|set|move|update|extend|push|shift)(?: the)? {_WHICH} (?:due date|deadline) (?:to|until|for) (?P<when>.+)", rf"(?:change|set|move|update) {_WHICH}'s {_DATE_NAME} (?:to|as|for|on) (?P<when>.+)", rf"{_WHICH}'s {_DATE_NAME} is (?P<when>.+)",
        rf"(?:the )?{_DATE_NAME} (?:of|for) {_WHICH} is (?P<when>.+)",
        rf"(?:move|reschedule|postpone|push|defer|delay|snooze|shift|put off|put(?! down)|schedule(?! an? )|bump|bring|set)(?! (?:an? )?(?:reminder|alarm|todo|task)\b)(?!.* (?:on|onto|in|to) (?:my|the) (?:to-?do |todo )?list$) {_WHICH} (?:back |forward |out |off |down )?(?:to|until|till|for|by|on|at|in|from) (?P<when>.+)",
        rf"leave {_WHICH} (?:until|till) (?P<when>.+)", rf"(?:set|make|mark|have) {_WHICH}(?: to be)? (?:due|scheduled) (?:on |by |for |at |in )?(?P<when>.+)", rf"{_WHICH}(?: is| are| should be| must be| needs to be| to be| is now)? (?:due|scheduled) (?:on |by |for |at |in )?(?P<when>.+)", rf"(?:give) {_WHICH} (?:a |the )?(?:due date|deadline|date) (?:of |on )?(?P<when>.+)",
        rf"(?:add|set|put) (?:a |the )?{_DATE_NAME} (?P<when>.+?) (?:to|for|on) {_WHICH}",
        r"(?P<which>.+?) (?:auf|zu|zum|bis) (?P<when>.+?) (?:verschieben|verlegen|setzen)",
        rf"(?:verschiebe?|verleg(?:e)?|setze?) {_WHICH} (?:auf|zu|zum|bis) (?P<when>.+)", rf"(?:mueve|cambia|aplaza|pospón|pospon|mover) {_WHICH} (?:a|al|para|hasta|para el|hasta el) (?P<when>.+)", rf"(?:déplace|deplace|reporte|décale|repousse) {_WHICH} (?:à|a|au|pour|pour le) (?P<when>.+)",
        r"(?P<which>.+?) (?:کو|کی تاریخ) (?P<when>.+?) (?:پر منتقل کرو|پر کرو|پر کر دو|کر دو|کرو|پر لے جاؤ|پر ڈال دو)",
    )),
    ("reschedule_at_end", (r"(?:move|reschedule|postpone|push|defer|delay|snooze|shift|verschiebe?|aplaza|reporte)(?: back)? (?P<which>.+)",)),
    ("reopen", (
        r"(?P<which>it|that)(?:'s| is| was)(?:n't| not)(?: actually| really)? (?:done|finished|completed?)(?: yet| actually| after all)?",
        r"(?:reopen|re-open|undo|undone|un-?check|un-?tick|un-?finish|uncomplete|un-complete|unmark|reactivate) (?P<which>.+)", r"(?:mark|set) (?P<which>.+?) (?:as |to )?(?:not (?:done|finished|completed?)|undone|open|incomplete|unfinished|to do|todo)(?: (?:yet|again))?",
        rf"(?P<which>.+?) (?:is|are|was|were)(?:n't|{_ADVERB}* not){_ADVERB}* (?:done|finished|completed?)(?: (?:yet|again|after all))?", r"(?P<which>.+?) (?:undone|not done)", r"(?P<which>.+?) (?:is|are|was|isn't|aren't) (?:undone|still open|open again|open|unfinished|incomplete)(?: (?:yet|again|after all))?",
        r"i (?:did not|didn't|haven't|have not)(?: actually| really| yet)?(?: finish(?:ed)?| complete[d]?| do| done)?(?: with)? (?P<which>.+?)(?: yet)?", r"(?:öffne) (?P<which>.+?)(?: wieder)?|reabre (?P<which2>.+)|rouvre (?P<which3>.+)",
    )),
    ("complete", (
        r"(?:mark|set|check|tick|flag|put|count|consider)(?: off)? (?P<which>.+?) (?:is |are |as |to |off as |off )?(?:done|completed?|finished|ready|closed|checked|checked off|off)",
        r"(?:mark|set) (?P<which>.+?) as (?P<past>\w+)",
        r"(?:complete|finish|close|check(?: off)?|tick(?: off)?|cross (?:off|out)|mark off|mark done|mark as (?:done|completed?|finished)|set as done|tick|strike(?: off| out)?|done:) (?P<which>.+)", r"(?:check|tick|cross|strike) (?P<which>.+?) (?:off|out)", r"(?:cross|strike) (?P<which>.+)",
        r"(?:i(?:'m|m| am| have|'ve|ve)? )?(?:just |already |finally |all |now |only just )*(?:done|finished|completed|did|through|am done)(?: (?:with|doing))? (?P<which>.+)",
        r"(?P<which>.+?)(?: (?:is|are|was|has been|have been|got)|'s) (?:now |already |all |finally )*(?:done|completed?|finished|ready|taken care of|sorted|over|dealt with)(?: now| already)?", r"(?P<which>.+?) (?:done|completed|finished)",
        r"(?:erledige|markiere|hake) (?P<which>.+?)(?: als erledigt| ab)?", r"(?P<which>.+?) (?:ist |sind )?(?:erledigt|fertig|geschafft|abgehakt)", r"(?:completa|termina|marca|completar|terminar|marcar) (?P<which>.+?)(?: como (?:hech[oa]|completad[oa]|terminad[oa]))?",
        r"(?:ya )?est[áa] hech[oa] (?P<which>.+)", r"(?P<which>.+?) (?:(?:ya )?(?:está |esta )?(?:hech[oa]|terminad[oa]|completad[oa])|est[áa] list[oa])", r"(?:termine|coche|marque|terminer|finis) (?P<which>.+?)(?: comme (?:faite?|terminée?))?", r"(?P<which>.+?) (?:est )?(?:faite?|terminée?|finie?)",
        r"(?P<which>.+?) (?:مکمل(?: ہو گیا| ہو گئی| کرو| کر دو| کریں| ہے)?|ہو گیا|ہو گئی|ہو گیا ہے|ہو چکا ہے|ho gaya|ho gayi|ho gya|ho chuka|ho gaya hai|kar liya|kar li|kar diya|kar di|done hai|mukammal(?: karo| ho gaya)?)",
    )),
    ("delete", (
        r"(?:please )?(?:delete|remove|del|rm|drop|discard|erase|trash|get rid of|throw away|throw out|cancel|wipe|kill|scrap|bin|purge|clear(?: out| away| off)?|empty|clean up|take off|take) (?P<which>.+?)(?:(?<=\w) off)?",
        r"(?:lösche|losche|entferne|streiche|lösch) (?P<which>.+)", r"(?:borra|elimina|quita|borrar|eliminar) (?P<which>.+)", r"(?:supprime|efface|enlève|enleve|supprimer|retire) (?P<which>.+)",
        r"(?P<which>.+?) (?:کو )?(?:حذف کرو|حذف کریں|حذف کر دو|مٹا دو|مٹاؤ|ہٹا دو|ہٹاؤ|ڈیلیٹ کرو|delete karo|delete kar do|hata do|hatao|mita do|mitao|nikal do)", r"(?P<which>.+?) (?:löschen|entfernen)", r"i (?:don't|do not|no longer) need (?P<which>.+?)(?: any ?more)?", r"forget about (?P<which>.+)",
    )),
    ("change", (r"(?:change|edit|update|modify|replace|correct|turn|ändere|cambia|change) (?P<which>.+?) (?:to|into|with|zu|in|a|por|en) (?P<to>.+)",)),
    ("tag", (r"(?:tag|label) (?P<which>.+) (?P<tags>[\w-]+)",)),
    ("set_to", (r"(?:set|make|change|move|put|have) (?P<which>it|that|this|that one|this one|them|both)(?: be)?(?: due)? (?P<to>.+)", rf"(?:set|make)(?! (?:an? )?(?:reminder|alarm|todo|task|note)\b) {_WHICH} (?:to|for|at) (?P<to>.+)",)),
    ("add", (
        r"(?:erstelle?|notiere?|schreibe?|lege?|mach)(?: mir)?(?: bitte)?(?: eine?n?)?(?: neue[ns]?)? (?:aufgabe|eintrag|todo|notiz)(?: an)?:? (?P<what>.+)", r"(?:crea|añade|pon|agrega)(?: una)?(?: nueva)? tarea:? (?P<what>.+)",
        rf"(?:add|create|make|new)(?: me)?(?: an?)?(?: new)? {_ITEM}(?P<rest> (?:for|on|by|due|at) .+?) (?:called|named|titled|saying) (?P<what>.+)",
        rf"(?:add|create|make|new|note(?: down)?|insert|enter|write down|jot down|record|log|put down|schedule|plan|set)(?: me)?(?: (?:an?|another|the|one more))?(?: new)? {_ITEM}(?: (?:to|for|called|named|saying|that says|titled|:|about))?[:,\s–-]+(?P<what>.+?){_TO_LIST}{_REST}",
        rf"(?:add|create|note(?: down)?|insert|write down|jot down|put down)(?: to (?:my|the) (?:to-?do |todo )?list)?[:\s]+(?P<what>.+?){_TO_LIST}{_REST}", rf"(?:new {_ITEM}|{_ITEM}|note|new|todo|to do|task)\s*[:\-–]\s*(?P<what>.+)", r"(?:new|another) one\s*[:,\-–]\s*(?P<what>.+)", r"new (?:todo|task|item|reminder) (?P<what>.+)", r"schedule an? (?P<what>.+)", r"(?:make|take)(?: me)? a note(?: (?:to|of|about|that|for))? (?P<what>.+)", r"(?:to-?do|task|reminder) (?P<what>\w+ .+)", r"\+\s*(?P<what>.+)",
        r"(?:set (?:me )?an? (?:reminder|alarm)|remind me|remember me|reminder|make me remember|help me remember|(?:i (?:want|need) to )?be reminded)(?: again)?(?P<what>(?: (?:to|about|of|that|for|in|on|at|tomorrow|tonight|today|next|every|this|by|half|quarter|noon|\w+day)\b).+)", r"(?:remember(?: to)?|don'?t (?:let me )?forget(?: to| about)?|do not forget(?: to)?|make sure (?:i|to)|i can'?t forget to) (?P<what>.+)",
        r"(?:i|we)(?:'ve| have)? (?:need|have|want|got|gotta|must|should|ought|plan|am supposed|still need|really need|still have)(?: to)? (?P<what>.+)", r"i(?:'ve got| got)? (?:to|gotta) (?P<what>.+)", r"(?:gotta|got to|need to|have to|must|should|want to) (?P<what>.+)", r"(?:put|stick|throw) (?P<what>.+?) (?:on|onto|in|into) (?:my|the) (?:to-?do |todo )?list",
        r"(?:füge|fuge) (?P<what>.+?)(?: zu(?:r| meiner| der) liste)?(?: hinzu)", r"(?:erinnere|erinner) mich(?: daran)?,?(?P<what> .+)", r"(?:neue[rs]? (?:aufgabe|eintrag|todo|punkt|notiz)|aufgabe|neu)[:\s]+(?P<what>.+)", r"(?P<what>.+?)(?: zu(?:r| meiner| der) liste)? (?:hinzufügen|eintragen|aufschreiben|notieren|anlegen)|(?P<what2>.+?) auf die liste(?: setzen)?", r"(?:setze?|schreibe?|pack) (?P<what>.+?) auf (?:die|meine) liste", r"ich muss (?P<what>.+)",
        r"(?:añade|agrega|anade|añadir|agregar|crea|apunta|anota)(?: una tarea| tarea)?:? (?P<what>.+?)(?: (?:a|en) (?:mi|la) lista)?", r"(?:recuérdame|recuerdame|recordarme)(?: que)? (?P<what>.+)", r"(?:nueva tarea)[:\s]+(?P<what>.+)", r"tengo que (?P<what>.+)",
        r"(?:ajoute|ajouter|crée|note)(?: une tâche| la tâche)?:? (?P<what>.+?)(?: (?:à|sur|dans) (?:ma|la) liste)?", r"(?:rappelle-moi|rappelle moi)(?: de| d')? ?(?P<what>.+)", r"(?:nouvelle tâche)[:\s]+(?P<what>.+)", r"(?:je dois|il faut(?: que je)?) (?P<what>.+)",
        r"(?:(?:مجھے|mujhe|mujhay) )?(?P<what>.+?)(?: (?:(?:meri|apni) )?list (?:mein|main|me|mai))? (?:شامل کرو|شامل کریں|شامل کر دو|لکھو|لکھ لو|ایڈ کرو|add karo|add kar do|add kar lo|likh lo|likho|shamil karo|یاد دلاؤ|یاد دلانا|یاد دلا دو|yaad dilao|yaad dilana|yaad dila do|yaad karwana)", r"(?:مجھے )(?P<what>.+?)(?: ہے)",
    )),
    ("complete", (r"all done with (?P<which>.+)",)),
)  # fmt: skip
# A way that begins with the todo itself ("milk is done") is not meant when the message begins with a command: in "clear
# completed" nothing called "clear" is completed.
_ORDERS = (
    r"new|del|rm|prio|cross|count|give|flag|push|delay|snooze|unmark|uncheck|untag|delete|remove|drop|erase|trash|clear|wipe|add|create|show|list|find|search|rename|move|reschedule|postpone|tag|label|mark|set|make|complete|finish|check|tick|reopen|undo|cancel|"
    r"remind|note|change|edit|update|get rid|throw|put|lösche|entferne|borra|elimina|supprime|efface|zeige?|muestra|montre"
)
_ORDER = re.compile(rf"\b(?:{_ORDERS})\s+\w", re.IGNORECASE)
_COMMAND = re.compile(
    rf"(?:{_ORDERS}|what|which|how|why|if|when|should|could|did|do|does|is|are|am|was|were|can)\b", re.IGNORECASE
)


def may_name_a_command(text: str) -> bool:
    """Tell whether a title that begins like a command may stand in a text."""
    return _ORDER.search(text) is not None


def begins_as_command(title: str) -> bool:
    """Tell whether a title would be a command if it were said."""
    return _ORDER.match(title) is not None


_WAYS = tuple(
    (re.compile(way, re.IGNORECASE), kind, way.startswith("(?P<which>")) for kind, ways in _PHRASES for way in ways
)
# "I already called mom": a past tense is what was done, when a todo is about it.
_DID = re.compile(
    r"(?:(?:i|we)(?:'ve| have|'m| am)? |already |just |finally )(?:(?:have|already|just|finally|now|also) )*(?P<which>(?!got to\b)(?P<past>\w+)(?! not\b) .+)",
    re.IGNORECASE,
)
# Without "I" the past tense must be one that is not a noun, an adjective or an order too ("found objects", "put milk on").
_DID_ALONE = re.compile(
    r"(?P<which2>(?:called|bought|paid|sent|emailed|cleaned|washed|booked|fixed|submitted|finished|watered|returned|picked up|dropped off|ordered|visited|cooked|posted|mailed|texted|signed|filed|scheduled|renewed|walked|fed|took)\b.+)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:if|unless|once|when|as soon as) .+? (?:then )?(?P<then>(?:delete|remove|complete|mark|rename|move|reschedule|postpone|reopen|add|remind me)\b.+)",
    re.IGNORECASE,
)
_SECOND_COMMAND = re.compile(
    r"^(?P<one>.+?)(?:,?\s+(?:and|then|and then|also|and also)\s+|\s*[;.]\s+)(?P<two>(?:delete|remove|complete|finish|mark|add|rename|move|reschedule|postpone|reopen|show|list|tag|clear|check off|set|remind me)\b.+)$",
    re.IGNORECASE,
)


# "add milk. Also add eggs"; in "ask Tim to add me" nothing is added.
_ADD_AGAIN = re.compile(
    r"(?:\s*[,;.]\s*|(?<!\bto)(?<!\bcan)(?<!\bwill)\s+)(?:(?:and|then|also|plus|please)\s+)*(?=add\s)", re.IGNORECASE
)
_QUOTED = re.compile(r"(?<!\w)(?:\"[^\"]+\"|“[^”]+”|„[^“”]+[“”]|«[^»]+»|'[^']+'(?!\w))")
_VEIL = 0xE000  # private characters, which nobody types


def understand(text: str) -> Request:
    """Tell what a message asks for; what stands in quotes is a name, whatever its words are."""
    quotes = _QUOTED.findall(text)[:100]
    for number, quoted in enumerate(quotes):
        text = text.replace(quoted, f"{quoted[0]}{chr(_VEIL + number)}{quoted[-1]}", 1)

    def unveiled(words: str) -> str:
        for number, quoted in enumerate(quotes):
            words = words.replace(chr(_VEIL + number), quoted[1:-1])
        return words

    request = _understand(text)
    return Request(request.kind, {name: unveiled(said) for name, said in request.said.items()}, unveiled(request.words))


def _understand(text: str) -> Request:
    if _THANKS.fullmatch(" ".join(text.split()).strip(" .!")):
        return Request("thanks", {}, text)
    words = clean(text)
    if text.rstrip().endswith("?") and (
        asked := re.match(
            r"(?:did(?! (?:i|we) (?:miss|forget)\b)|done|finished|completed) (?P<what>.+)", words, re.IGNORECASE
        )
    ):
        return Request("question", {"what": asked["what"]}, words)  # a question never changes anything
    if len(adds := _ADD_AGAIN.split(words)) > 1 and all(_match(each).kind == "add" for each in adds):
        return Request("add_each", {"parts": "\n".join(adds)}, words)
    if (conditional := _CONDITION.fullmatch(words)) and _match(conditional["then"]).kind not in ("unknown", "list"):
        return Request("condition", {"then": conditional["then"]}, words)
    if two := _SECOND_COMMAND.match(words):
        first = _match(two["one"])
        tagged = first.kind == "add" and re.match(r"(?:tag|label)\b", two["two"], re.IGNORECASE)
        if first.kind not in ("unknown", "list", "question", "how", "search", "keep") and not tagged:
            return Request("two", {"one": two["one"], "two": two["two"]}, words)
    return _match(words)


def _match(words: str) -> Request:
    if (found := _DID.fullmatch(words)) and is_past(found["past"].lower()):
        return Request("did", {"which": found["which"]}, words)
    if found := _DID_ALONE.fullmatch(words):
        return Request("did", {"which": found["which2"]}, words)
    is_command = _COMMAND.match(words) is not None
    for pattern, kind, begins_with_todo in _WAYS:
        if is_command and begins_with_todo:
            continue
        if not (found := pattern.fullmatch(words)):
            continue
        said = {name: value for name, value in found.groupdict().items() if value is not None}
        if "past" in said and not is_past(said["past"].lower()):
            continue  # "mark milk as cheap"
        for spare in ("which2", "which3", "what2"):
            if spare in said:
                said[spare[:-1]] = said.pop(spare)
        return Request(kind, said, words)
    return Request("unknown", {}, words)


_WOULD_YOU_MIND = re.compile(r"^(?:please |hey |hello )*(?:would|do) you mind (?P<gerund>\w+ing)\b", re.IGNORECASE)
_PLEASE = re.compile(rf"^({_ORDERS}) (?:bitte|please|kindly) ", re.IGNORECASE)
_GLUED = re.compile(r"^(remind|tell|show|give)(me)\b", re.IGNORECASE)
_SHORT_LEVEL = re.compile(r"\bhi(?=[\s-]prio)", re.IGNORECASE)


def clean(text: str) -> str:
    """Return the words of a message without politeness, and with a mistyped first word corrected."""
    words = " ".join(text.replace("\u2019", "'").replace("\u2018", "'").split()).lstrip("¿¡ ")
    words = _WOULD_YOU_MIND.sub(lambda found: slips.infinitive(found["gerund"]), words)
    words = _PLEASE.sub(r"\1 ", words)
    before = None
    while before != words:
        before = words
        words = _POLITE.sub("", words)
        words = _TAIL.sub("", words.rstrip(" ?.!,؟۔"))
    words = _GLUED.sub(r"\1 \2", _SHORT_LEVEL.sub(r"high", words))
    first, _, rest = slips.spelt_out(words).partition(" ")
    return f"{slips.verb(first)} {rest}".rstrip()
