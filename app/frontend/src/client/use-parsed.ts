import { useCallback, useEffect, useRef, useState } from 'react';
import type { ParsedTodo } from '@/shared/todo';
import { parseTodo } from './api';

const TYPING_PAUSE_MS = 200;
/** Adding waits no longer than this to hear what the words mean. */
const WITHIN_MS = 1_500;

export type Parse = (text: string, signal: AbortSignal) => Promise<ParsedTodo>;

interface Understood {
  text: string;
  parsed: ParsedTodo;
}

/**
 * What the words of the Add box mean, while they are written.
 * @param text what the box holds
 * @returns what is known of this text, and a way to know it of any text: null when that cannot be found out
 */
export function useParsed(text: string, parse: Parse = parseTodo) {
  const [understood, setUnderstood] = useState<Understood | null>(null);
  const latest = useRef<Understood | null>(null);

  const ask = useCallback(
    async (asked: string, signal: AbortSignal): Promise<ParsedTodo | null> => {
      if (latest.current?.text === asked) return latest.current.parsed;
      const parsed = await parse(asked, signal).catch(() => null);
      if (parsed && !signal.aborted) {
        latest.current = { text: asked, parsed };
        setUnderstood(latest.current);
      }
      return parsed;
    },
    [parse],
  );

  const words = text.trim();
  useEffect(() => {
    if (words === '') return;
    const left = new AbortController();
    const timer = setTimeout(() => void ask(words, left.signal), TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
      left.abort();
    };
  }, [words, ask]);

  const find = useCallback((asked: string) => ask(asked, AbortSignal.timeout(WITHIN_MS)), [ask]);
  return { parsed: understood?.text === words ? understood.parsed : null, find };
}
