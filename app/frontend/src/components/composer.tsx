'use client';

import { type FormEvent, type KeyboardEvent, useId } from 'react';
import { SendIcon, StopIcon } from './icons';

/** Longest message that the box takes. */
const MESSAGE_MAX = 4_000;

/** The box for a message. Enter sends, Shift and Enter begin a new line. */
export function Composer({
  draft,
  error,
  answering,
  onDraft,
  onSend,
  onStop,
}: {
  draft: string;
  error: string | null;
  answering: boolean;
  onDraft: (text: string) => void;
  onSend: (text: string) => void;
  onStop: () => void;
}) {
  const errorId = useId();
  const text = draft.trim();

  function submit(event: FormEvent) {
    event.preventDefault();
    if (answering) onStop();
    else if (text) onSend(text);
  }

  function sendOnEnter(event: KeyboardEvent<HTMLTextAreaElement>) {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (!answering && text) onSend(text);
  }

  return (
    <form className="composer" onSubmit={submit}>
      {error && (
        <p id={errorId} className="form-error" role="alert">
          {error}
        </p>
      )}
      <div className="composer-box">
        <textarea
          aria-label="Message to the assistant"
          aria-describedby={error ? errorId : undefined}
          placeholder="Message the assistant"
          rows={1}
          dir="auto"
          maxLength={MESSAGE_MAX}
          value={draft}
          onChange={(event) => onDraft(event.target.value)}
          onKeyDown={sendOnEnter}
        />
        <button
          type="submit"
          className="round-button"
          aria-label={answering ? 'Stop the answer' : 'Send'}
          title={answering ? 'Stop the answer' : 'Send'}
          aria-disabled={!answering && !text}
        >
          {answering ? <StopIcon /> : <SendIcon />}
        </button>
      </div>
    </form>
  );
}
