'use client';

import { useCallback, useEffect, useRef, useState } from 'react';
import { type ConversationsApi, chatApi } from '@/client/api';
import { dayInWords, localMinute, timeInWords } from '@/client/days';
import { Problem } from '@/client/problem';
import type { ConversationSummary, StoredMessage } from '@/shared/chat';
import type { VisitorClock } from '@/shared/clock';
import { quoted } from '@/shared/todo';
import { TrashIcon } from './icons';

/** The conversations of before, to be gone on with or deleted for good. */
export function EarlierChats({
  current,
  now,
  locale,
  onOpen,
  onRemoved,
  onClose,
  api = chatApi,
}: VisitorClock & {
  /** The id of the conversation that goes on. */
  current: string | null;
  onOpen: (id: string, messages: StoredMessage[]) => void;
  onRemoved: (id: string) => void;
  onClose: () => void;
  api?: ConversationsApi;
}) {
  const [chats, setChats] = useState<ConversationSummary[] | null>(null);
  const [total, setTotal] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  /** The one whose deletion waits for a yes. */
  const [leaving, setLeaving] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);

  const attempt = useCallback(async (work: () => Promise<void>) => {
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(error instanceof Problem ? error.message : 'That did not work.');
    }
  }, []);
  const load = useCallback(
    (known: ConversationSummary[]) =>
      attempt(async () => {
        const page = await api.conversations(known.length);
        const seen = new Set(known.map(({ id }) => id));
        setChats([...known, ...page.items.filter(({ id }) => !seen.has(id))]);
        setTotal(page.total);
      }),
    [api, attempt],
  );
  useEffect(() => {
    box.current?.focus();
    void load([]);
  }, [load]);

  function keep() {
    setLeaving(null);
    box.current?.focus();
  }

  const remove = (id: string) =>
    attempt(async () => {
      await api.removeConversation(id).catch((error: unknown) => {
        if (!(error instanceof Problem && error.kind === 'gone')) throw error;
      });
      setChats((known) => known?.filter((chat) => chat.id !== id) ?? null);
      setTotal((count) => count - 1);
      onRemoved(id);
      box.current?.focus();
    });

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape leaves the list, wherever the focus is in it
    <div
      className="scroll chats"
      ref={box}
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        if (leaving) keep();
        else onClose();
      }}
    >
      <h3>Earlier chats</h3>
      {problem && (
        <p className="form-error" role="alert">
          {problem}{' '}
          {chats === null && (
            <button type="button" className="button button-quiet" onClick={() => void load([])}>
              Try again
            </button>
          )}
        </p>
      )}
      {chats?.length === 0 && <p className="quiet">What you say to the assistant is kept here.</p>}
      <ul>
        {chats?.map(({ id, title, updated_at }) => (
          <li key={id} className="earlier-chat" aria-current={id === current || undefined}>
            <button
              type="button"
              className="chat-title"
              dir="auto"
              onClick={() => void attempt(async () => onOpen(id, await api.messages(id)))}
            >
              {title}
            </button>
            {leaving === id ? (
              <span className="chat-leaving">
                <button type="button" className="button button-quiet danger" onClick={() => void remove(id)}>
                  Delete for good
                </button>
                <button
                  type="button"
                  className="button button-quiet"
                  // biome-ignore lint/a11y/noAutofocus: it takes the place of the button that was just pressed
                  autoFocus
                  onClick={keep}
                >
                  Keep
                </button>
              </span>
            ) : (
              <>
                <span className="quiet">{id === current ? 'now' : saidWhen(updated_at, now, locale)}</span>
                <button
                  type="button"
                  className="icon-button"
                  aria-label={`Delete the chat ${quoted(title)}`}
                  title="Delete"
                  onClick={() => setLeaving(id)}
                >
                  <TrashIcon />
                </button>
              </>
            )}
          </li>
        ))}
      </ul>
      {chats && total > chats.length && (
        <button type="button" className="button more" onClick={() => void load(chats)}>
          Show more
        </button>
      )}
    </div>
  );
}

function saidWhen(moment: string, now: string | null, locale: string): string {
  const [day = '', time = ''] = localMinute(new Date(moment)).split('T');
  const today = now?.slice(0, 10) ?? null;
  return day === today ? timeInWords(time, locale) : dayInWords(day, today, locale);
}
