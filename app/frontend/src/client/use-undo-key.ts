import { useEffect, useRef } from 'react';

/** Ctrl+Z or Command+Z takes back what can be taken back, except in a text field, where it belongs to the text. */
export function useUndoKey(undo: (() => void) | undefined): void {
  const latest = useRef(undo);
  latest.current = undo;
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      const pressed = event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey);
      if (!pressed || event.shiftKey || event.altKey || !latest.current || isText(event.target)) return;
      event.preventDefault();
      latest.current();
    }
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

function isText(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches('textarea, input:not([type=checkbox], [type=radio])');
}
