/** A piece of a text that a person wrote. */
export type TextPart =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  /** A character that turns the direction of what follows and shows nothing by itself. */
  | { kind: 'control'; text: string; name: string };

const CONTROL_NAMES: Record<string, string> = {
  '\u202a': 'LRE',
  '\u202b': 'RLE',
  '\u202c': 'PDF',
  '\u202d': 'LRO',
  '\u202e': 'RLO',
  '\u2066': 'LRI',
  '\u2067': 'RLI',
  '\u2068': 'FSI',
  '\u2069': 'PDI',
};

const SPECIAL = /https?:\/\/[^\s<>"“”\u202a-\u202e\u2066-\u2069]+|[\u202a-\u202e\u2066-\u2069]/giu;
/** A sentence's end after an address is no part of it. */
const AFTER_LINK = /[.,;:!?'’…]+$/u;

/** With these a sentence holds a title apart from its own words. They turn nothing outside of it. */
const ISOLATES = /[\u2068\u2069]/u;

/**
 * Divide a text into plain text, links, and characters that would turn it without being seen.
 * @param isolatesAreText whether the marks that hold a title apart are meant to be there, and not shown
 */
export function textParts(text: string, isolatesAreText = false): TextPart[] {
  const parts: TextPart[] = [];
  let read = 0;
  const plain = (until: number) => {
    if (until > read) parts.push({ kind: 'text', text: text.slice(read, until) });
    read = until;
  };
  for (const match of text.matchAll(SPECIAL)) {
    if (isolatesAreText && ISOLATES.test(match[0])) continue;
    plain(match.index);
    const name = CONTROL_NAMES[match[0]];
    const part = name ? ({ kind: 'control', text: match[0], name } as const) : linkIn(match[0]);
    if (!part) continue;
    parts.push(part);
    read += part.text.length;
  }
  plain(text.length);
  return parts;
}

function linkIn(found: string): TextPart | null {
  let text = found.replace(AFTER_LINK, '');
  // “(see https://example.org/a)” ends before its bracket, “https://example.org/a_(b)” after it.
  while (text.endsWith(')') && text.split('(').length < text.split(')').length) text = text.slice(0, -1);
  return URL.canParse(text) && new URL(text).hostname ? { kind: 'link', text, href: text } : null;
}
