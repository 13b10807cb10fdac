import { textParts } from '@/shared/text-parts';

/** A text that somebody wrote: addresses become links, and what would turn its direction unseen is shown. */
export function Words({ text }: { text: string }) {
  return textParts(text).map((part, place) => {
    switch (part.kind) {
      case 'text':
        return part.text;
      case 'link':
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never change places
          <a key={place} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        );
      default:
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never change places
          <abbr key={place} className="control" title="A character that changes the direction of text">
            {part.name}
          </abbr>
        );
    }
  });
}
