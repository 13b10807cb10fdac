import { textParts } from '@/shared/text-parts';

/**
 * A text that somebody wrote: addresses become links, and what would turn its direction unseen is shown.
 * @param ours whether the text is a sentence of ours, which holds titles apart with marks of that kind
 */
export function Words({ text, ours = false }: { text: string; ours?: boolean }) {
  return textParts(text, ours).map((part, place) => {
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
