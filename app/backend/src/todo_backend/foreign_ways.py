"""The ways in which people ask in German, Spanish, French and Urdu: the commonest requests, after the English ways.

The lines of a kind go by language, in this order. What is said about a part of a todo comes before what is said about
the whole, as in English.
"""

from todo_backend.ways import LEVEL, WHICH, Ways

_ON_LIST = r"(?: (?:zu(?:r| meiner| der) liste|auf (?:die|meine) (?:(?:to-?do-|einkaufs)?liste)|(?:a|en|de) (?:mi|la) lista|(?:à|sur|dans|de) (?:ma|la) liste))"
_NOTE = r"(?:notiz|nota|note)"

FOREIGN: Ways = (
    ("list", (
        r"(?:zeige?|liste|sortiere?)(?: mir)?(?: .+)?|(?:was|welche|welcher|welches|wie viele?) .+|(?:habe ich|hab ich|gibt es|steht|ist) (?:noch )?(?:etwas|was|irgendwas|heute|morgen) ?.*|meine (?:aufgaben|liste|todos)",
        r"(?:muestra|muéstrame|muestrame|mostrar|lista|ver|enseña|enséñame|dime|ordena|ordenar)(?: .+)?|(?:qué|que|cuáles|cuales|cu[áa]nt[oa]s?|hay) (?!no )(?!.* (?:recuerd|añad|agreg)).+|tengo (?:algo|alguna|algún|tareas) .+|mis (?:tareas|pendientes)|mi lista",
        r"(?:montre|montre-moi|montrez-moi|affiche|liste|voir|trie|trier)(?: .+)?|(?:qu'est-ce qu[ei']?|qu'y a-t-il|c'est quoi|qu'ai-je|quoi de|quel(?:le)?s?|que dois|qu'ai|combien|est-ce que j'ai|ai-je|il y a|il (?:me |nous )?reste (?:quoi|des|encore)|j'ai quoi) ?.*|(?:mes|ma) (?:tâches|liste)",
        r".*(?:دکھاؤ|دکھائیں|دکھا دو|بتاؤ|بتائیں)|.*(?:کیا کرنا ہے|کیا ہے|کیا باقی ہے|کیا کام ہے|کیا کام ہیں)|میری فہرست|.*(?:dikhao|dikha do|dikha dein|batao)|.*kya (?:karna|kaam) hai",
    )),
    ("search", (
        r"(?:suche?|finde) (?:nach )?(?P<what>.+)",
        r"(?:busca|buscar|encuentra) (?P<what>.+)",
        r"(?:cherche|trouve|recherche) (?P<what>.+)",
        r"(?P<what>.+?) (?:تلاش کرو|تلاش کریں|ڈھونڈو)",
    )),
    ("question", (
        r"(?:ist|sind|wann ist|wann sind|wann muss ich|bis wann muss ich|hab ich|habe ich) (?P<what>.+?)(?: (?:schon|bereits|noch))*(?: (?:erledigt|fertig|fällig|offen|dran))",
        r"(?:cuándo|cuando|para cuándo) (?:es|vence|tengo que|toca|está) (?P<what>.+)|(?:está|ya está|he hecho|ya hice) (?P<what2>.+?)(?: hech[oa]| terminad[oa])",
        r"(?:quand|pour quand) (?:est|dois-je|faut-il|est-ce que je dois) (?P<what>.+)|(?:est-ce que|ai-je (?:fait|fini)) (?P<what2>.+)",
    )),
    ("note", (
        rf"(?:füge?|schreibe?|mach(?:e)?)(?: eine)? {_NOTE} (?:zu|an|bei) (?P<which>[^:]+?)(?: hinzu)?\s*:\s*(?P<note>.+)",
        rf"(?:{_NOTE} (?:zu|für|bei|an)|(?:schreibe?|notiere?|ergänze?) (?:zu|bei|an)) (?P<which>[^:]+?)(?: dazu)?\s*:\s*(?P<note>.+)",
        rf"{_NOTE} (?:para|pour|sur|en) (?P<which>[^:]+?)\s*:\s*(?P<note>.+)",
        rf"(?:añade|agrega|pon|escribe)(?: una)? {_NOTE} (?:a|en) (?P<which>[^:]+?)\s*:\s*(?P<note>.+)",
        rf"(?:ajoute|mets|écris)(?: une)? {_NOTE} (?:à|sur) (?P<which>[^:]+?)\s*:\s*(?P<note>.+)",
    )),
    ("untag", (
        r"(?:entferne?|lösche?|nimm) (?:das|den) (?:tag|label|schlagwort) (?P<tags>#?[\w-]+) (?:von|bei|aus) (?P<which>.+)",
        r"(?:quita|borra|elimina) (?:la )?(?:etiqueta|tag) (?P<tags>#?[\w-]+) (?:de|a) (?P<which>.+)",
        r"(?:enlève|enleve|retire|supprime) (?:le tag|l'étiquette) (?P<tags>#?[\w-]+) (?:de |d'|à )(?P<which>.+)",
    )),
    ("tag", (
        r"(?:markiere|versieh|tagge?) (?P<which>.+?) mit (?:dem (?:tag|label|schlagwort) )?(?P<tags>#?[\w-]+)|gib (?P<which2>.+?) (?:das|den) (?:tag|label) (?P<tags2>#?[\w-]+)",
        r"(?:etiqueta) (?P<which>.+?) (?:con|como) (?P<tags>#?[\w-]+)|(?:añade|agrega|pon)(?:le)? la etiqueta (?P<tags2>#?[\w-]+) a (?P<which2>.+)",
        r"(?:étiquette|tague) (?P<which>.+?) (?:avec|comme) (?P<tags>#?[\w-]+)|(?:ajoute|mets) (?:le tag|l'étiquette) (?P<tags2>#?[\w-]+) à (?P<which2>.+)",
    )),
    ("add", (
        r"(?P<what>[^,]+?)(?: (?:ist|sind) (?:alle|leer|aus|fast alle)| fehlt| fehlen)[,.;]? (?:bitte )?(?:setze?|schreibe?|packe?|tu) (?:es|ihn|sie|das) auf die (?:einkaufs)?liste",
        rf"(?:setze?|schreibe?|pack|packe|tu) (?P<what>.+?){_ON_LIST}(?P<rest> .+)?",
        rf"pon(?:me)? (?P<what>.+?){_ON_LIST}(?P<rest> .+)?",
        rf"mets (?P<what>.+?){_ON_LIST}(?P<rest> .+)?",
        r"(?:(?:مجھے|mujhe|mujhay) )?(?P<what>.+?)(?: (?:(?:meri|apni) )?list (?:mein|main|me|mai))? (?:شامل کرو|شامل کریں|شامل کر دو|لکھو|لکھ لو|ایڈ کرو|add karo|add kar do|add kar lo|likh lo|likho|likh do|daal do|dal do|daalo|shamil karo|یاد دلاؤ|یاد دلائیں|یاد دلا دیں|یاد دلانا|یاد دلا دو|yaad dilao|yaad dilana|yaad dila do|yaad karwana)",
    )),
    ("prioritise", (
        rf"(?:ändere?|setze?|stelle?) die priorität (?:von|für|bei) {WHICH} (?:auf|in|zu) {LEVEL}|(?P<which2>.+?) (?:auf|als) {LEVEL.replace('<level>', '<level2>')} (?:setzen|stellen|markieren)",
        rf"(?:cambia|cambiar|pon|sube|baja) la prioridad (?:de|para|a) {WHICH} (?:a|en|como) {LEVEL}",
        rf"(?:pon(?:le)?|dale|da|gib|mets|donne)(?: eine?| una?| une?)? {LEVEL} (?:a|para|an|für|à|pour) {WHICH}",
        rf"(?:change|mets|passe) la priorité (?:de |d'){WHICH} (?:à|en|sur) {LEVEL}",
        rf"(?:set|markiere?|mache?|setze?|stufe) {WHICH} (?:als |auf |zu )?{LEVEL}(?: ein)?",
        rf"(?:marca|marcar|pon|poner|haz) (?:a )?{WHICH} (?:como |con |en )?{LEVEL}",
        rf"(?:marque|mets|rends|passe) {WHICH} (?:comme |en |à )?{LEVEL}",
        rf"{WHICH} (?:hat|bekommt|braucht|tiene|tendrá|a) (?:eine? |una? |une? )?{LEVEL}",
    )),
    ("rename", (
        r"(?:benenne?) (?P<which>.+?) (?:in|zu|als) (?P<title>.+?)(?: um)?|(?P<which2>.+?) (?:in|zu) (?P<title2>.+?) umbenennen|(?P<which3>.+?) umbenennen (?:in|zu) (?P<title3>.+)|nenne? (?P<which4>.+?) (?:jetzt |lieber |in )(?P<title4>.+?)(?: um)?",
        r"(?:renombra|renombrar|cambia el nombre de) (?P<which>.+?) (?:a|por|como|en) (?P<title>.+)",
        r"(?:renomme|renommer) (?P<which>.+?) en (?P<title>.+)",
    )),
    ("reschedule_at_end", (
        r"(?:verschiebe?|verlege?) (?P<which>.+? um .+)|(?P<which2>.+? um (?:eine?n?|\d+|zwei|drei) (?:tage?|wochen?|monate?)) (?:verschieben|verlegen)",
        r"(?:aplaza|aplazar|pospón|pospon|posponer|retrasa|atrasa|mueve) (?P<which>.+? (?:una?|\d+|dos|tres) (?:d[ií]as?|semanas?|mes(?:es)?)(?: más)?)",
        r"(?:reporte|repousse|décale|decale|reporter|repousser|décaler) (?P<which>.+? (?:d'|de )(?:une?|\d+|deux|trois) (?:jours?|semaines?|mois))",
    )),
    ("unschedule", (
        r"(?:entferne?|lösche?|nimm) (?:das|den) (?:datum|termin|fälligkeit\w*) (?:von|bei|aus) (?P<which>.+)",
        r"(?:quita|borra|elimina)(?:le)? la fecha (?:de|a) (?P<which>.+)",
        r"(?:enlève|enleve|retire|supprime) la date (?:de |d'|à )(?P<which>.+)",
    )),
    ("reschedule", (
        r"(?:ändere?|setze?) das datum (?:von|für|bei) (?P<which>.+?) (?:auf|zu|zum) (?:den )?(?P<when>.+)",
        r"(?:cambia|pon) la fecha (?:de|para) (?P<which>.+?) (?:a|al|para el) (?P<when>.+)",
        r"(?:change|mets) la date (?:de |d')(?P<which>.+?) (?:au|à|pour|pour le) (?P<when>.+)",
        r"(?P<which>.+?) (?:auf|zu|zum|bis|nach) (?P<when>.+?) (?:verschieben|verlegen|setzen|schieben|legen|ziehen)",
        rf"(?:verschiebe?|verlege?|setze?|lege?|schiebe?)(?! (?:mir |bitte )*eine?n? (?:neuen? )?(?:aufgabe|eintrag|todo|notiz)\b) {WHICH} (?:auf|zu|zum|bis|nach) (?:den |die )?(?P<when>.+)",
        r"(?P<which>.+?) (?:ist|sind) (?:erst )?(?:am|bis|bis zum) (?P<when>.+?) (?:fällig|dran)",
        rf"(?:mueve|mover|cambia|cambiar|pasa|pasar|aplaza|aplazar|pospón|pospon|posponer|retrasa|adelanta|pon|deja) {WHICH} (?:a|al|para|hasta|para el|hasta el) (?P<when>.+)",
        rf"(?:déplace|deplace|déplacer|reporte|reporter|décale|décaler|repousse|repousser|avance|avancer|passe|mets) {WHICH} (?:à|a|au|pour|pour le|jusqu'à) (?P<when>.+)",
        r"(?P<which>.+?) (?:ko )?(?P<when>[\w ]+?)(?: (?:par|pe|tak|ko))? (?:shift|move|postpone|reschedule) (?:karo|kar do|kardo|kar dein)",
        r"(?P<which>.+?) (?:کو|کی تاریخ) (?P<when>.+?) (?:پر منتقل کرو|پر کرو|پر کر دو|کر دو|کرو|پر لے جاؤ|پر ڈال دو)",
    )),
    ("reschedule_at_end", (
        r"(?:verschiebe?|aplaza|pospón|reporte|décale|repousse) (?P<which>.+)",
    )),
    ("reopen", (
        r"öffne (?P<which>.+?)(?: (?:wieder|erneut))?|(?P<which2>.+?) (?:wieder (?:öffnen|aufmachen)|als (?:offen|nicht erledigt) markieren)|(?P<which3>.+?) (?:ist|sind) (?:noch nicht|doch nicht|doch noch nicht) (?:fertig|erledigt)",
        r"(?:reabre|reabrir) (?P<which>.+)|(?P<which2>.+?) (?:todavía|aún) no está (?:hech[oa]|terminad[oa])",
        r"(?:rouvre|rouvrir) (?P<which>.+)|(?P<which2>.+?) n'est pas (?:encore )?(?:faite?|terminée?|finie?)",
    )),
    ("complete", (
        r"(?:erledige|markiere?|hake?) (?P<which>.+?)(?: (?:als (?:erledigt|fertig)|ab))?|(?P<which2>.+?) (?:abhaken|als (?:erledigt|fertig) markieren)",
        r"(?:(?:ich )?hab(?:e)? )(?P<which>[^,]+?) (?:schon |jetzt |gerade )*(?:erledigt|fertig|gemacht|geschafft|abgeschlossen)|(?P<which2>.+?) (?:habe?|hab) ich(?: (?:schon|jetzt|gerade|bereits))*(?: (?:erledigt|fertig|gemacht|geschafft|abgeschlossen))?",
        r"(?P<which>.+?) (?:(?:ist|sind) )?(?:(?:schon|jetzt|nun|bereits) )*(?:erledigt|fertig|geschafft|abgehakt|gemacht)|fertig mit (?P<which2>.+)",
        r"(?:(?:ya )?he |(?:ya )?hemos )?(?:ya )?(?:terminado|completado|acabado|hecho) (?:con |de )?(?P<which>.+)|(?:ya )?(?:terminé|completé|acabé|hice) (?:con |de )?(?P<which2>.+)",
        r"(?:completa|termina|marca|completar|terminar|marcar|tacha) (?P<which>.+?)(?: como (?:hech[oa]|completad[oa]|terminad[oa]|list[oa]))?",
        r"(?:ya )?est[áa] hech[oa] (?P<which>.+)",
        r"(?P<which>.+?) (?:(?:ya )?(?:está |esta )?(?:ya )?(?:hech[oa]|terminad[oa]|completad[oa])|(?:ya )?est[áa] list[oa])",
        r"(?:j'ai|on a|c'est) (?:déjà |bien |enfin )*(?:fini|terminé|fait|achevé) (?:avec |de )?(?P<which>.+)",
        r"(?:termine|coche|marque|terminer|finis|valide) (?P<which>.+?)(?: comme (?:faite?|terminée?|finie?))?",
        r"(?P<which>.+?) (?:(?:est|c'est) )?(?:déjà )?(?:faite?|terminée?|finie?)",
        r"(?P<which>.+?) (?:مکمل(?: ہو گیا| ہو گئی| کرو| کر دو| کریں| ہے)?|ہو گیا|ہو گئی|ہو گیا ہے|ہو چکا ہے|ho gaya|ho gayi|ho gya|ho chuka|لے آیا|لے آئی|لے لیا|لے لی|خرید لیا|خرید لی|کر لیا|کر لی|کر دیا|کر دی|ho gaya hai|kar liya|kar li|kar diya|kar di|done hai|mukammal(?: karo| ho gaya)?)",
    )),
    ("delete", (
        r"(?:lösche?|losche|entferne?|streiche?|streich) (?P<which>.+?)|(?P<which2>.+?) (?:löschen|entfernen|streichen)",
        r"(?:borra|bórrame|elimina|quita|borrar|eliminar|quitar) (?P<which>.+)",
        r"(?:supprime|efface|enlève|enleve|supprimer|effacer|enlever|retire|retirer) (?P<which>.+)",
        r"(?P<which>.+?) (?:کو )?(?:حذف کرو|حذف کریں|حذف کر دو|مٹا دو|مٹاؤ|ہٹا دو|ہٹاؤ|ڈیلیٹ کرو|delete karo|delete kar do|hata do|hatao|mita do|mitao|nikal do)",
    )),
    ("change", (
        r"(?:ändere?) (?P<which>.+?) (?:zu|in|auf) (?P<to>.+)",
        r"cambia (?P<which>.+?) (?:a|por) (?P<to>.+)",
        r"(?:change|remplace) (?P<which>.+?) (?:en|par) (?P<to>.+)",
    )),
    ("add", (
        r"(?:erstelle?|notiere?|schreibe?|lege?|mach)(?: mir)?(?: bitte)?(?: eine?n?)?(?: neue[ns]?)? (?:aufgabe|eintrag|todo|notiz)(?: an)?:? (?P<what>.+)",
        r"(?:füge?|fuge) (?P<what>.+?)(?: zu(?:r| meiner| der) liste)?(?: hinzu)",
        r"(?P<what>.+?) nicht (?:zu )?vergessen",
        r"mich(?: bitte)?(?P<what> .+?) (?:zu )?erinnern",
        r"(?:erinnere?) mich(?: bitte)?(?: daran)?,?(?P<what> .+)|denk(?:e)? (?:bitte )?(?:daran,?|an) (?P<what2>.+)|nicht vergessen[:,]? (?P<what3>.+)",
        r"(?:neue[rs]? (?:aufgabe|eintrag|todo|punkt|notiz)|aufgabe|neu)[:\s]+(?P<what>.+)",
        rf"(?P<what>.+?){_ON_LIST}? (?:hinzufügen|eintragen|aufschreiben|notieren|anlegen|ergänzen)|(?P<what2>.+?) (?:auf die liste|muss auf die liste)(?: setzen)?",
        r"(?:notiere?|merke?)(?: mir| dir)?:? (?P<what>.+)|trage? (?:(?P<what2>.+) ein|ein\s*:\s*(?P<what1>.+))|ich (?:darf|sollte) nicht vergessen,? (?P<what3>.+)|vergiss nicht,? (?P<what4>.+)",
        r"(?:ich|wir) (?:muss|müsste|müssen|sollte|sollten|soll|will|wollen|möchte)(?: noch| dringend| unbedingt)* (?P<what>.+)",
        r"(?:añade|agrega|anade|añadir|agregar|crea|crear|apunta|anota|pon)(?: una)?(?: nueva)? tarea:? (?:de |para )?(?P<what>.+)",
        r"(?:añade|agrega|anade|añadir|agregar|crea|apunta|apúntame|anota|anótame|ponme|agenda|agéndame):? (?P<what>.+?)(?: (?:a|en) (?:mi|la) lista)?",
        r"(?:recuérdame|recuerdame|recordarme|acuérdame|hazme acordar)(?: que| de)? (?P<what>.+)",
        r"(?:nueva tarea|nuevo pendiente)[:\s]+(?P<what>.+)",
        r"(?:tengo|tenemos|hay) que (?P<what>.+)|(?:debo|necesito|quiero) (?P<what2>\w+r\b.+)|(?:que )?no (?:se )?me (?:olvide|dejes olvidar)(?: de)? (?P<what3>.+)|no (?:debo )?olvidar (?P<what4>.+)",
        r"(?:r?ajoute|ajoutez|r?ajouter|crée|créer|note|noter)(?:-moi)?(?: (?:une|la)(?: nouvelle)? tâche)?(?:\s*:\s*|\s+)(?P<what>.+?)(?: (?:à|sur|dans) (?:ma|la) liste)?",
        r"(?:rappelle[- ]moi|rappelez[- ]moi|(?:n'oublie pas de )?me rappeler)(?: de| d'| que je dois)? ?(?P<what>.+)",
        r"(?:nouvelle tâche)\s*:?\s*(?P<what>.+)",
        r"(?:je dois|on doit|j'ai besoin de|il faut(?: que je)?|il me faut|je voudrais|(?:je ne dois pas|ne pas) oublier (?:de |d')?|n'oublie pas (?:de |d')?|pense(?:r)? (?:à |a )|penser d') ?(?P<what>.+)",
        r"(?:mujhe |mujhay )?(?P<what>.+?\w{2}n[aie]) (?:hai|hain)",
        r"(?:مجھے )?(?P<what>.+?(?:نا|نے|نی))(?: (?:ہے|ہیں))",
    )),
)  # fmt: skip
