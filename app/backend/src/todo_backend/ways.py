"""The ways in which people ask, in English: what `intents.py` matches a message against, from the first to the last.

Each line of a kind is one way to say it. Order matters: what is said about a part of a todo (its date, its title) comes
before what is said about the whole, and adding comes last, since anything can follow "add".
"""

import re
from typing import Literal

Kind = Literal[
    "help", "thanks", "bye", "keep", "how", "add", "add_each", "list", "search", "question", "complete", "delete", "restore", "reopen", "rename",
    "change", "reschedule", "reschedule_at_end", "unschedule", "prioritise", "lower_to_normal", "may_prioritise", "may_reopen", "may_reschedule", "drop", "note", "read_note", "clear_note", "tag", "untag", "did", "set_to", "each", "condition", "meant", "which", "clock", "who", "yes", "wrong", "unknown",
]  # fmt: skip

THANKS = re.compile(
    r"(?:ok(?:ay)?,? |great,? |perfect,? |cool,? |many |awesome,? )*(?:thanks?|thank you|thx|ty|cheers|danke(?: schön)?|vielen dank|gracias|muchas gracias|merci(?: beaucoup)?|شکریہ|shukriya)(?: you)?(?: so much| a lot| very much| again| a bunch)?",
    re.IGNORECASE,
)
_ITEMS = r"(?:to-?dos?|tasks?|items?|list|reminders?|things?|entries)"
_ITEM = r"(?:to-?do|task|item|reminder|entry|thing)"
_TO_LIST = r"(?:\s+(?:to|on|onto|in|into)\s+(?:(?:my|the|our)\s+(?:(?:to-?do|todo|task|shopping|grocery)\s+)?|(?:to-?do|todo|task|shopping|grocery)\s+)(?:list|to-?dos|tasks))?"
_REST = r"(?P<rest>(?<=list|odos|-dos|asks)(?:[,.?!]* (?:(?:due|by|for|on|at|before|until|next|this|with|sometime|\w+day|#|!)(?=.)|tomorrow|today|tonight|\w+day\b)|[,.?!](?=.)).*)?"
LEVEL = (
    r"(?P<level>(?:an?\s+)?(?:!?(?:high|highest|low|lowest|normal|medium|urgent|important|top|critical|unimportant)(?:[\s-]+(?:prio(?:rity)?|importance))?|prio(?:rity)?\s+(?:high|low|normal|medium)|p[1-4]"
    r"|wichtig|dringend|hoch|niedrig|(?:hohe|niedrige|normale) priorität|urgente?|importante?|alta|baja|(?:alta|baja) prioridad|prioridad (?:alta|baja|normal)|haute|basse|élevée|faible|(?:haute|basse|faible) priorité|priorité (?:haute|basse|faible|élevée|normale)))"
)
WHICH = r"(?P<which>.+?)"
_ADVERB = r"(?: (?:actually|really|quite|fully|still|yet))"
_PRIO = r"prio(?:rity)?"
_DATE_NAME = r"(?:due\s*-?\s*date|due\s+time|date|deadline|time|due)"

Ways = tuple[tuple[Kind, tuple[str, ...]], ...]

ENGLISH: Ways = (
    ("help", (
        r"(?:who|what) are you,? (?:and|&) what (?:can|do) you do(?: for me)?|how can you help(?: me)?",
        r"(?:help|hello|hi|hey|yo|good (?:morning|day|afternoon|evening)|hallo|hola|bonjour|salut|guten (?:tag|morgen)|buenos d[ií]as|hilfe|ayuda|aide|سلام|السلام علیکم|مدد)(?: there| me| todo| bot)?",
        r"(?:what|which|how) (?:can|could|do) (?:you|i)(?: even)? (?:do|say|help(?: me)?(?: with)?|ask|use (?:this|you))(?: here| for me)?|how does (?:this|it) work|what (?:are|is) (?:you|this)|who are you|was kannst du|qué puedes hacer|que peux-tu faire",
    )),
    ("thanks", (
        rf"{THANKS.pattern}(?:[,!. ]+.{{0,20}})?",
        r"(?:great|perfect|cool|nice|awesome|good job|well done|wonderful|excellent|super|got it|alright|all right|ok|okay|fine)(?: (?:job|work|one))?",
    )),
    ("bye", (
        r"(?:good ?)?bye(?: bye)?|see you(?: later)?|good ?night|tschüss|adiós|au revoir|خدا حافظ",
    )),
    ("wrong", (
        r"(?:(?:no|sorry|oops),? )?(?:not (?:that|this)(?: one)?,? )?the other (?:one|todo|task)",
        r"(?:(?:oh (?:dear|no)|oops|no|sorry)[,.!]* )*(?:(?:that|this|it) (?:was|is) (?:a mistake|wrong|not what i (?:meant|wanted|said)|the wrong one|an accident)|wrong (?:one|todo|task)|not that one|my mistake|that's (?:wrong|not what i (?:meant|wanted|said)|not right))",
        r"(?:(?:oh (?:dear|no)|oops|no|sorry|wait)[,.!]* )*(?:i (?:did not|didn't) (?:mean|want) (?:(?:you )?to(?: do| say| delete)? )?(?:that|this|it)|wait|oh (?:dear|no))",
        r"(?:(?:oh (?:dear|no)|oops|no|sorry|wait)[,.!]* )*(?:actually,? )?i (?:did not|didn't|haven't|have not)(?: yet| actually| really)?",
    )),
    ("yes", (r"(?:y|yes|yep|yeah|yup|yes please|ja|oui|s[ií])",)),
    ("who", (r"(?:are|r) (?:you|u) (?:an? |the |really |actually )*(?:real|human|person|robot|bot|machine|computer|ai|model|program|chatgpt|gemini|there)\b.*|who (?:made|built) you|who(?:'s| is| am i) (?:this|there|talking|speaking|chatting)\b.*|what (?:kind of|model|ai) .*are you|(?:do you|can you|what languages?|which languages?)(?: do you| can you)? (?:speak|understand|know)\b.*",)),
    ("clock", (        r"(?:what|which)(?:'s| is)? (?:the |today's )?(?:current )?(?:day|date|time)(?: (?:is it|is today|is today's))?(?: (?:today|now|right now))?",
        r"what(?:'s| is) (?:today|the time now)",
    )),
    ("which", (r"(?:show|list|name)(?: me)? (?:them|those|these)|show me|(?:which|what) ones?|which (?:todos?|tasks?)|(?:which|what) (?:ones? )?(?:is|are) (?:it|they|those|these)",)),
    ("reopen", (r"(?:(?:no|oops|sorry),? )?(?P<which>it|that|this)(?:'s not| is not| isn't| was not| wasn't)(?: (?:actually|really|yet|done|finished))*",)),
    ("meant", (
        r"(?:(?:no|oops|sorry|nope),? )+(?:it was|that was) (?P<which>.+?)(?: (?:that )?(?:i|we) (?:did|meant|finished|wanted))?",
        r"(?:no,? |wait,? |not (?:that|this|it)(?: one)?,? |oops,? |sorry,? |nein,? )*(?:i meant?|meant|i said|ich meinte?|quise decir|je voulais dire)(?: to say)? (?P<which>.+)",
    )),
    ("drop", (
        r"(?:don't|do not|stop) remind(?:ing)? (?:me|us) (?:about|of|to) (?P<which>.+?)(?: any ?more)?",
        r"(?:no more|no need (?:to|for)|no need|there is no need (?:to|for)) (?P<which>.+?)(?: any ?more)?",
        r"forget (?!to\b|about\b|it\b)(?P<which>.+)",
        r"never ?mind (?:about )?(?!it\b|that\b|this\b|i\b)(?P<which>.+)",
        r"(?:i|we) (?:won't|will not) (?:need|do|make) (?P<which>.+)",
        r"(?:i |we )?(?:don't|do not|no longer|needn't) (?:have|want) to (?P<which>.+?)(?: any ?more| now)?",
        r"(?:lose|scratch|axe|nix|dump|ditch|toss|chuck|archive|skip|strike|nuke|zap|ax) (?P<which>.+)",
    )),
    ("keep", (
        r"(?:do not|don't|dont|never|never ever|stop|nicht|no)\s+(?!forget|rush|hurry|need|have|let (?:me|us) forget|due|date|deadline|longer)(?P<what>.+)",
        r"never ?mind|forget (?:it|about it)|no|nope|nothing|cancel that",
    )),
    ("restore", (
        r"(?:restore|undelete|bring back|recover|un-delete|put back|get back) (?P<which>.+)",
    )),
    ("note", (
        r"(?:append|add|write|put)(?: this)? (?:to|in|into) (?:the )?notes? (?:of|on|for|to) (?P<which>[^:]+?)\s*:\s*(?P<note>.+)",
        r"(?:add|attach|write|put|make|leave)(?: an?| the)? (?:notes?|comments?|descriptions?) (?:to|for|on|in) (?P<which>.+?)(?:\s*:\s*|,? (?:saying|that says|with) )(?P<note>.+)",
        r"(?:append|add|write|put) (?:to|in|into) (?:the |my )?(?P<which>[^:]+?)(?:'s)? notes?\s*:\s*(?P<note>.+)",
        r"(?:add|attach|put|leave) an? (?:note|comment) (?:to|for|on) (?P<which>[^:,]+), (?P<note>.+)",
        r"notes? (?:to|for|on|of|at) (?!(?:my)?self\b)(?P<which>[^:]+?) that (?P<note>.+)",
        r"notes? (?:to|for|on|of) (?!(?:my)?self\b)(?P<which>[^:]+?)\s*:\s*(?P<note>.+)",
        r"(?:add|put|write) (?P<note>[\"“'].+[\"”']) (?:to|in|into) the notes? (?:of|on|for) (?P<which>.+)",
    )),
    ("clear_note", (
        r"(?:delete|remove|clear|erase|drop) (?:the |my |all )*(?:notes?|comments?|descriptions?) (?:of|from|on|for|to) (?P<which>.+)",
    )),
    ("read_note", (
        r"what (?:do|does|did) (?:the |my )?(?:notes?|comments?|descriptions?) (?:of|on|for|to|about) (?P<which>.+?) say",
        r"what(?:'s| is) in (?:the )?(?:notes?|comments?|descriptions?) (?:of|on|for|to) (?P<which>.+)",
        r"notes (?:of|on|for|to|about) (?!(?:my)?self\b)(?P<which>[^:]+)",
        r"(?:are there |is there |any )+(?:any |an? )?(?:notes?|comments?) (?:of|on|for|to|about) (?P<which>.+)",
        r"(?:what(?:'s| is| are)|show|read|see|view)(?: me)? (?:the |my )?(?:notes?|comments?|descriptions?) (?:of|on|for|to|about) (?P<which>.+)",
    )),
    ("how", (
        r"how (?:do|can|could|should|would|does) (?:i|you|we|one|this|it) .+|how to .+|why .+|what (?:happens|if) .+",
        r"(?:is|are) there (?:a|any|some) (?:other |easy )?(?:ways?|options?|possibilit(?:y|ies)|features?|settings?|buttons?) .+|is it possible .+|do you (?:support|offer|sync|remind|notify|send|store|keep|save|need|learn)\b.*",
        r"(?:does|will|can) (?:this|it|the app|this (?:app|thing|bot)) .+",
    )),
    ("question", (
        r"how (?:long|many (?:days|weeks|hours)) (?:is it |are there |do i have )?(?:left )?(?:till|until|'til|before|to) (?P<what>.+)",
        r"(?:at )?(?:what|which) (?:time|day|date) (?:is|are|was|do i have|does) (?P<what>.+)",
    )),
    ("reschedule_at_end", (r"(?:give|allow) (?:me|us)(?P<by> (?:\w+ )?(?:more )?(?:days?|weeks?)|(?: an?)? (?:more|extra) (?:day|week))(?: more)? (?:for|on|with) (?P<which>.+)",)),
    ("add", (
        r"(?P<what>(?:urgent|important)\s*:\s*.+)",
        r"(?:make|write|start|create)(?: me)? an? (?:[\w-]+ )?list(?: (?:for|of) [^:]+)?\s*:\s*(?P<what>.+)",
        r"(?P<what>(?:\d+|two|three|four|five|some) (?:things|todos|tasks|items|reminders)\s*:\s*.+)",
    )),
    ("add", (rf"(?:(?:an?|new) )?{_ITEM}(?P<rest> (?:for|on|by|due|today|tomorrow|tonight|next|this|\w+day)\b[^:]*?)\s*:\s*(?P<what>.+)",)),
    ("list", (
        r"how (?:many|much) .+",
        r"count(?: (?:them|all|my todos|my tasks))?",
        r"(?:count|number of) (?P<q>.+)",
        r"(?:what|which)(?:'s|s)? .+|what's|what now|what",
        r"(?:show|list|display|see|view|pull up|bring up|go over|read out)(?: me| us)?(?: (?P<q2>.+))?",
        r"(?:get|give|tell|read|print)(?: me| us)(?: .+)?|(?:get|read|print)(?: out)? (?:my|all|the) (?:open |full )?(?:list|todos|tasks)\b.*",
        r"how (?:far )?behind .+",
        r"how(?:'s| is| does) .+ look(?:ing)?(?: like)?",
        r"(?:(?:re-?)?(?:sort|order)|arrange|rank) (?:.+ )?(?:by|alphabetically)\b.*|(?:sort|order) (?:my|the|them|all|everything|todos|tasks)\b.*",
        rf"(?:(?:my|the|all|open|done|completed|overdue|today'?s?|tomorrow'?s?|urgent|important|(?:high|low|normal|medium|top)[\s-]prio(?:rity)?|current|late|everything|upcoming|pending|remaining)\s+)*(?:{_ITEMS}|overdue|agenda|schedule|plan)(?:\s+(?:for|due|on|this|today|tomorrow|next|tagged|with|without|about|by|sorted|ordered|that|in|from|marked|labell?ed|called)\b.*)?",
        r"#[^\s#]+",
        r"(?:did|have) (?:i|we) (?:miss(?:ed)?|forget|forgotten) (?:anything|something|any)\b.*",
        r"(?:newest|latest|oldest) first|(?:sorted |ordered )?by (?:due date|date|priority|title|name|deadline)|alphabetically|in (?:the )?(?:order of (?:due date|date|priority|importance)|(?:due date|date|priority|alphabetical) order)",
        r"(?:am i|have i (?:got )?anything|(?:is|are) any(?:thing| of (?:it|them|these|my \w+))|anything|any|is there (?:anything|something|any|a todo|a task)|are there any|do i have|have i got|got any|what else)\b.*",
        r"all|everything|next(?: up| one)?",
        r"(?:today|tomorrow|this week|next week|overdue|open|upcoming|due (?:today|tomorrow|this week))",
    )),
    ("search", (
        r"(?:find|search(?: for)?|look (?:for|up)|filter(?: by)?|where(?:'s| is)) (?P<what>.+)",
    )),
    ("unknown", (
        r"i (?:should|could|would|might)(?: have|'ve) \w+(?:ed|en|t)\b.*",
    )),
    ("question", (
        r"did (?=(?:i|we|you|my|he|she|they|anyone|someone)\b)(?P<what>.+)",
        r"(?:is|are|was(?! (?:ist|steht|muss|habe?|sind|gibt|soll|kommt|liegt|kann|mache?|fehlt|bleibt|brauche)\b)|were|does|do(?= (?:i|we|you|they|any|these|those)\b)|have|has|should|shall|will|when|where|who|whose|whether)(?:'s)? (?P<what>.+)",
    )),
    ("unschedule", (
        rf"(?:remove|delete|clear|drop|unset|cancel|erase|take)(?: away)? (?:the )?{_DATE_NAME} (?:from|of|on|for|off|away from)(?: of)? {WHICH}",
        rf"(?:remove|delete|clear|drop) {WHICH}'s {_DATE_NAME}",
        rf"(?:set|make|give|leave) {WHICH} (?:with |to )?(?:no|without(?: a)?) (?:due )?(?:date|deadline)",
        rf"{WHICH} (?:has |have |with |to )?(?:no|without(?: a)?) (?:due )?(?:date|deadline)(?: any ?more)?",
        rf"unschedule {WHICH}",
        rf"(?:no|without(?: a)?) (?:due )?(?:date|deadline) (?:for|on) {WHICH}",
        rf"{WHICH} (?:does not|doesn't) have a (?:due )?(?:date|deadline)",
    )),
    ("reopen", (
        r"(?:put|add|bring|get|move) (?P<which>.+?) back(?: (?:on|onto|to|in|into) (?:my|the) (?:to-?do |todo )?list)?",
    )),
    ("lower_to_normal", (
        rf"(?:remove|drop|take|clear) (?:the |its )?{_PRIO} (?:from|off|of|on) {WHICH}",
        rf"(?:remove|drop|take|clear) (?:the )?{LEVEL} (?:from|off|of) {WHICH}",
        rf"{WHICH} (?:is|are)(?:n't| not| no longer) (?:an? )?low[\s-]{_PRIO}(?: any ?more| now| after all)?",
    )),
    ("may_prioritise", (
        r"(?P<level>no (?:rush|hurry)) (?:on|for|with|about) (?P<which>.+)",
        rf"{WHICH} (?:is|are)(?:n't| not| no longer) (?:that |so |very |really |as |too )*(?:important|urgent|high priority)(?: any ?more| now| after all)?",
        rf"(?P<level>(?:high|low|normal|medium|top)[\s-]{_PRIO}) (?:for|on) (?P<which>[^:]+)",
    )),
    ("add", (
        r"(?:i |we )?(?:(?:almost|nearly|totally|completely|just) )*forgot (?:about |to )(?P<what>.+?)[,.;:]? (?:(?:so|and|please|pls|can you|could you) )*(?:add|put|note) (?:it|that|this)(?: (?:down|in|(?:on|to) (?:the|my) list))?(?P<rest>(?: .+)?)",
        r"(?:(?:i've got|(?:i |we )?(?:have|need|want)|there's|there is) )?(?P<what>.+?)(?: is missing| is not on (?:the|my) list)?[,.;:]? (?:(?:so|and|can you|could you|please|pls) )*(?:add|put|note|jot|write) (?:it|that|this)(?: (?:down|in|on there|on it|there|(?:on|to|onto) (?:the|my) (?:to-?do )?list))?",
        r"(?P<what>.+?), (?:please |pls )?add",
        r"(?:i |we )?(?:(?:almost|nearly|totally|completely|just) )*forgot (?:about |to )(?P<what>.+?)[,.;:]? (?:(?:so|and|please|pls|can you|could you) )*remind (?:me|us)(?: (?:of|about) (?:it|that))?(?P<rest>(?: .+)?)",
        r"(?:add|create|note(?: down)?|write down) (?:something|smth|sth|one (?:more )?thing)(?: (?:for me|to (?:my|the) list))*\s*[:?,.–-]+\s*(?P<what>.+)",
        r"(?:i )?(?:must not|mustn't|should not|shouldn't|can't|cannot|better not|do not want to|don't want to) forget(?: to| about)? (?P<what>.+)",
        r"put in an? (?P<what>.+)",
        r"(?:put|pencil) (?:me|us) (?:down|in) for (?P<what>.+)|pencil in (?P<what2>.+)",
        r"notes? to (?:my)?self(?: to)?\s*[:,–-]?\s*(?P<what>.+)",
        r"(?:put|stick|throw|pop) (?P<what>.+?) (?:on|onto|in|into|to) (?:there|(?:my|the) (?:(?:to-?do|todo|task|shopping|grocery) )?(?:list|todos|to-dos|tasks))(?P<rest>(?: (?:for|on|by|before|due|at|until|tomorrow|today|tonight|next|this|with|#|!|\w+day\b|\d)|,).*)?",
    )),
    ("untag", (
        r"(?:remove|delete|drop|take(?: off)?) (?:the )?(?P<tags>#?\w[\w-]*) (?:tag|label) (?:from|off|of|on) (?P<which>.+)",
        r"(?:remove|delete|drop|take) (?:the )?(?:tags? |label )?(?P<tags>#\S+|(?<=tag )\S+) (?:tag |label )?(?:from|off|of) (?P<which>.+)",
        r"untag (?P<tags>#?[\w-]+) (?:from|off) (?P<which>.+)",
        r"untag (?P<which>.+?)(?: (?:from|as|with) (?P<tags>.+))?",
    )),
    ("tag", (
        r"(?:tag|label) (?P<which>.+?) (?:with|as) (?P<tags>.+)",
        r"(?:tag|label) (?P<which>.+?) (?P<tags>#\S+(?:[\s,]+#\S+)*)",
        r"(?:tag|label) (?P<which>#?\d+|it|that|the \w+ one) (?P<tags>[\w-]+)",
        r"(?:add|put|attach|set|give) (?:the |an? )?(?:tags? |labels? )(?P<tags>.+?) (?:to|on|onto) (?P<which>.+)",
        r"(?:add|put|attach) (?:the |an? )?(?P<tags>[\w-]+) (?:tag|label) (?:to|on|onto) (?P<which>.+)",
        r"(?:add|put|attach) (?P<tags>#\S+(?:(?:,| and)? #\S+)*) (?:to|on) (?P<which>.+)",
        r"(?:add|put) (?P<which>(?:it|this|that|.+?)) (?:to|under|in) (?P<tags>#\S+)",
        r"give (?P<which>.+?) the (?:tag|label) (?P<tags>.+)",
    )),
    ("prioritise", (
        rf"(?:prio|priority)(?: of| for)? {WHICH} (?:to |= ?)?{LEVEL}",
        rf"(?:make|set|mark) {WHICH} (?P<down>less (?:important|urgent))",
        rf"(?:make|set|mark) {WHICH} (?P<up>more (?:important|urgent))",
        r"(?P<down>lower|decrease|reduce|drop)(?: the)? priority (?:of|for|on) (?P<which>(?:(?! (?:to|as|at) ).)+)",
        r"(?P<up>raise|increase|bump(?: up)?|boost)(?: the)? priority (?:of|for|on) (?P<which>(?:(?! (?:to|as|at) ).)+)",
        rf"(?P<down>deprioriti[sz]e) {WHICH}",
        rf"(?:set|change|raise|lower|increase|decrease|make|put|update|bump(?: up)?|swap|switch|turn|adjust|edit|modify|reset|fix|correct|move|drop|bring|reduce)(?:(?: up| down)? the)? {_PRIO} (?:of|for|on|from) {WHICH}(?: from \w+)?(?: back| down| up)? (?:to|as|at|into) {LEVEL}",
        rf"(?:make|set|mark|give|flag|put|change|update|turn|bump|move|upgrade|downgrade|demote|promote|escalate|raise|lower|swap|switch|adjust|drop|bring) {WHICH}(?:(?:'s?)? {_PRIO})?(?: from (?:high|low|normal|medium|urgent))? (?:(?:to|as|at|with|on|into|up to|down to|back to|over to) )?(?:be )?{LEVEL}(?: (?:too|as well|now|again))?",
        rf"(?:set|give|put|assign)(?: an?)? {LEVEL} (?:for|to|on) {WHICH}",
        rf"(?P<level>(?:high|low|normal|medium|top)[\s-]{_PRIO}) (?:for|on) (?P<which>[^:]+)",
        rf"{WHICH}(?:'s priority)? (?:is|are|has|should be|must be|needs to be|should have|ist|es|est) (?:now |really |very |actually |super |also |a |quite )*{LEVEL}(?: (?:now|again|too|after all|from now on))?",
        rf"{WHICH},? {LEVEL.replace('(?:[', '(?:[', 1)}(?:(?<=priority)|(?<=prio))",
        rf"{WHICH}[:,]? (?P<level>prio(?:rity)? (?:high|low|normal|medium))",
        rf"(?:priori[ts]i[sz]e|prioriti[sz]e) {WHICH}",
    )),
    ("rename", (
        r"(?:rename|retitle|call) (?P<which>.+?) (?:to|into|as|=>|->) (?P<title>.+)",
        r"(?P<which>.+?) (?:should|must|is to) (?:now )?be (?:called|named) (?P<title>.+)",
        r"(?:call|name) it (?P<title>.+?) instead of (?P<which>.+)",
        r"(?:call|name) (?P<which>it|that|this(?: one)?|the .+? one) (?!(?:a day|quits)$)(?P<title>.+?)(?: instead(?: of .+)?)?",
        r"(?:change|edit|update|set) (?:the )?(?:title|name|text|wording) of (?P<which>.+?) (?:to|into|as) (?P<title>.+)",
        r"(?:change|edit|update) (?P<which>.+?)'s (?:title|name|text) (?:to|into) (?P<title>.+)",
        r"(?:rename|retitle|call) (?P<which>.+?) (?P<title>[\"“'].+[\"”'])",
        r"(?:rename|retitle) (?P<which>[^:]+?)\s*: (?P<title>.+)",
        r"(?P<rename>rename|retitle) (?P<which>.+)",
    )),
    ("reschedule", (
        rf"(?:set|add|put|give)(?: an?| the)? {_DATE_NAME} (?:of|for|on|to) {WHICH}\s*(?::|=|->|,)\s*(?P<when>.+)",
        rf"(?:change|set|move|update|push|edit|make|put)(?: the| an?)? {_DATE_NAME} (?:of|for|on) {WHICH} (?:to|as|at|for|on|until|back to|=) (?P<when>.+)",
        rf"(?:change|set|move|update|extend|push|shift)(?: the)? {WHICH} (?:due date|deadline) (?:to|until|for) (?P<when>.+)",
        rf"(?:change|set|move|update) {WHICH}'s {_DATE_NAME} (?:to|as|for|on) (?P<when>.+)",
        rf"{WHICH}'s {_DATE_NAME} is (?P<when>.+)",
        rf"(?:the )?{_DATE_NAME} (?:of|for) {WHICH} is (?P<when>.+)",
        rf"(?:move|reschedule|postpone|push|defer|delay|snooze|shift|put off|put(?! down)|schedule(?! an? )|bump|bring|set)(?! (?:me )?(?:an? )?(?:reminder|alarm|todo|task)\b)(?!.* (?:on|onto|in|to) (?:my|the) (?:to-?do |todo )?list$) {WHICH} (?:back |forward |out |off |down |up )?(?:to|until|till|for|by|on|at|in|from) (?P<when>.+)",
        rf"leave {WHICH} (?:until|till) (?P<when>.+)",
        rf"{WHICH} (?:is|are)(?:n't| not) due (?:until|till|before) (?P<when>.+)",
        r"(?:(?:i'?ll|i will|let'?s|we'?ll|we will) )?do (?P<which>it|that|this|that one|this one|the .+? one) (?P<when>(?:today|tonight|tomorrow|later|on|at|in|next|this|\w+day)\b.*)",
        rf"(?:i'?ll|i will|let'?s|we'?ll|we will|i'm going to|i'm gonna) (?:do|finish|handle) {WHICH} (?P<when>(?:today|tonight|tomorrow|later|on|at|in|next|this|\w+day)\b.*)",
        rf"{WHICH} (?:can|could|should|has to|must) (?:stay|happen|be done|be moved|move)(?: (?:to|until|till|for|on|by))+ (?P<when>.+)",
        rf"(?:set|make|mark|have) {WHICH}(?: to be)? (?:due|scheduled) (?:on |by |for |at |in )?(?P<when>.+)",
        rf"{WHICH}(?: is| are| should be| must be| needs to be| to be| is now)? (?:due|scheduled) (?:on |by |for |at |in )?(?P<when>.+)",
        rf"(?:give) {WHICH} (?:a |the )?(?:due date|deadline|date) (?:of |on )?(?P<when>.+)",
        rf"(?:add|set|put) (?:a |the )?{_DATE_NAME} (?P<when>.+?) (?:to|for|on) {WHICH}",
    )),
    ("reschedule_at_end", (
        r"(?P<which>.+?)(?: (?:is|are|was|were|has been|have been|got|gets)|'s(?: been)?) (?:(?:put|pushed|moved) (?:back|off|out)|postponed|delayed|deferred)(?P<by> by .+)",
        r"(?:(?:put|make|bring|have|start|set|do|move|shift|schedule|reschedule) )?(?P<which>.+?)(?P<by> (?:half an|an?|one|two|three|\d{1,2}) (?:min(?:ute)?s?|hours?|days?|weeks?|months?) (?:later|earlier|sooner))",
        r"(?:move|reschedule|postpone|push|defer|delay|snooze|shift|bump|bring(?=.+ (?:up|forward)\b))(?: back)? (?P<which>.+)",
    )),
    ("reopen", (
        r"(?P<which>it|that)(?:'s| is| was)(?:n't| not)(?: actually| really)? (?:done|finished|completed?)(?: yet| actually| after all)?",
        r"(?:reopen|re-open|undo|undone|un-?check|un-?tick|un-?finish|uncomplete|un-complete|unmark|reactivate) (?P<which>.+)",
        r"(?:mark|set) (?P<which>.+?) (?:as |to )?(?:not (?:done|finished|completed?)|undone|open|incomplete|unfinished|to do|todo)(?: (?:yet|again))?",
        rf"(?P<which>.+?) (?:is|are|was|were)(?:n't|{_ADVERB}* not){_ADVERB}* (?:done|finished|completed?)(?: (?:yet|again|after all))?",
        r"(?P<which>.+?) (?:undone|not done)",
        r"(?P<which>.+?) (?:is|are|was|isn't|aren't) (?:undone|still open|open again|open|unfinished|incomplete)(?: (?:yet|again|after all))?",
        r"i (?:did not|didn't|haven't|have not)(?: actually| really| yet)?(?: finish(?:ed)?| complete[d]?| do| done)?(?: with)? (?P<which>.+?)(?: yet)?",
    )),
    ("complete", (
        r"(?:mark|set|check|tick|flag|put|count|consider)(?: off)? (?P<which>.+?) (?:is |are |as |to |off as |off )?(?:done|completed?|finished|ready|closed|checked|checked off|off)",
        r"(?:mark|set) (?P<which>.+?) as (?P<past>\w+)",
        r"(?:complete|finish|close|check(?: off)?|tick(?: off)?|cross (?:off|out)|mark off|mark done|mark as (?:done|completed?|finished)|set as done|tick|strike(?: off| out)?|done:) (?P<which>.+)",
        r"(?:check|tick|cross|strike) (?P<which>.+?) (?:off|out)",
        r"(?:cross|strike) (?P<which>.+)",
        r"(?:i(?:'m|m| am| have|'ve|ve)? )?(?:just |already |finally |all |now |only just )*(?:done|finished|completed|did|through|am done)(?: (?:with|doing))? (?P<which>.+)",
        r"(?P<which>.+?)(?: (?:is|are|was|has been|have been|got)|'s) (?:now |already |all |finally )*(?:done|completed?|finished|ready|taken care of|sorted|over|dealt with)(?: now| already)?",
        r"(?P<which>.+?) (?:done|completed|finished)",
    )),
    ("delete", (
        r"(?:please )?(?:delete|remove|del|rm|drop|discard|erase|trash|get rid of|throw away|throw out|cancel|wipe|kill|scrap|bin|purge|clear(?: out| away| off)?|empty|clean up|take off) (?P<which>.+?)(?:(?<=\w) off)?",
        r"take (?P<which>.+?) (?:off|away)",
        r"i (?:don't|do not|no longer) need (?P<which>.+?)(?: any ?more)?",
        r"forget about (?P<which>.+)",
    )),
    ("change", (
        r"(?:change|edit|update|modify|replace|correct|turn) (?P<which>.+?) (?:to(?: say)?|into|with) (?P<to>.+)",
    )),
    ("tag", (
        r"(?:tag|label) (?P<which>.+) (?P<tags>[\w-]+)",
    )),
    ("set_to", (
        r"(?:set|make|change|move|put|have) (?P<which>it|that|this|that one|this one|them|both)(?: be)?(?: due)? (?P<to>.+)",
        rf"(?:set|make)(?! (?:an? )?(?:reminder|alarm|todo|task|note)\b) {WHICH} (?:to|for|at) (?P<to>.+)",
    )),
    ("add", (
        rf"(?:add|create|make|new)(?: me)?(?: an?)?(?: new)? {_ITEM}(?P<rest> (?:for|on|by|due|at) .+?) (?:called|named|titled|saying) (?P<what>.+)",
        rf"(?:add|create|make|new|note(?: down)?|insert|enter|write down|jot down|record|log|put down|schedule|plan|set)(?: me)?(?: (?:an?|another|the|one more))?(?: new)? {_ITEM}(?: (?:to|for|called|named|saying|that says|titled|:|about))?[:,\s–-]+(?P<what>.+?){_TO_LIST}{_REST}",
        rf"(?:add|create|note(?: down)?|insert|write down|jot down|put down)(?: to (?:my|the) (?:to-?do |todo )?list)?[:\s]+(?P<what>.+?){_TO_LIST}{_REST}",
        rf"(?:new {_ITEM}|{_ITEM}|note|new|todo|to do|task)\s*[:\-–]\s*(?P<what>.+)",
        r"(?:new|another) one\s*[:,\-–]\s*(?P<what>.+)",
        r"new (?:todo|task|item|reminder) (?P<what>.+)",
        r"schedule an? (?P<what>.+)",
        r"(?:make|take)(?: me)? a note(?: (?:to|of|about|that|for))? (?P<what>.+)",
        r"(?:to-?do|task|reminder) (?P<what>\w+ .+)",
        r"\+\s*(?P<what>.+)",
        r"(?:(?:set|create|make|put in|schedule|give|i need|i want)(?: me)? an? (?:reminder|alarm)|remind me|remember me|reminder|make me remember|help me remember|(?:i (?:want|need) to )?be reminded)(?: again)?(?P<what>(?: (?:to|about|of|that|for|in|on|at|tomorrow|tonight|today|next|every|this|by|half|quarter|noon|\w+day)\b).+)",
        r"remind (?:me|us) (?!(?:again|please)$)(?P<what>.+)",
        r"remind (?P<what>(?:at |in |on |@ ?)?(?:\d|tomorrow\b|tonight\b|today\b|noon\b|\w+day\b).+)",
        r"(?:remember(?: to)?|don'?t (?:let (?:me|us) )?forget(?: to| about|[:,])?|do not forget(?: to)?|make sure (?:i|to)|i can'?t forget to) (?P<what>.+)",
        r"(?:i|we)(?:'ve| have)? (?:need|have|want|got|gotta|must|should|ought|plan|am supposed)(?: to)? (?!nothing\b)(?P<what>.+)",
        r"i(?:'ve got| got)? (?:to|gotta) (?P<what>.+)",
        r"(?:gotta|got to|need to|need|have to|must|should|want to) (?P<what>.+)",
        r"(?:put|stick|throw) (?P<what>.+?) (?:on|onto|in|into) (?:my|the) (?:to-?do |todo )?list",
    )),
    ("complete", (
        r"all done with (?P<which>.+)",
    )),
)  # fmt: skip
