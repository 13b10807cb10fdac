import { type RefObject, useEffect } from 'react';

/** Close what is opened over the page at a press or a focus elsewhere, and at Escape, which gives back a focus that was in it. */
export function useLightDismiss(details: RefObject<HTMLDetailsElement | null>): void {
  useEffect(() => {
    const onElsewhere = (event: Event) => {
      const [box, target] = [details.current, event.target as Node];
      if (!box?.open || box.contains(target)) return;
      // A press on a text within gives the focus to what is around and takes it.
      if (event.type === 'focusin' && target.contains(box)) return;
      box.open = false;
    };
    const onKey = ({ key }: KeyboardEvent) => {
      const box = details.current;
      if (key !== 'Escape' || !box?.open) return;
      if (box.contains(document.activeElement)) box.querySelector('summary')?.focus();
      box.open = false;
    };
    document.addEventListener('pointerdown', onElsewhere);
    document.addEventListener('focusin', onElsewhere);
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('pointerdown', onElsewhere);
      document.removeEventListener('focusin', onElsewhere);
      document.removeEventListener('keydown', onKey);
    };
  }, [details]);
}
