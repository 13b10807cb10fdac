'use client';

import { type FormEvent, type KeyboardEvent, type RefObject, useId } from 'react';
import { SendIcon, StopIcon } from './icons';

/** The longest message that the backend takes. */
const MESSAGE_MAX = 2_000;

/** The box for a message. Enter sends, Shift and Enter begin a new line, Up in an empty box brings the last message back. */
export function Composer({
  hidden = false,
  box,
  draft,
  error,
  answering,
  lastMessage,
  onDraft,
  onSend,
  onStop,
}: {
  hidden?: boolean;
  box?: RefObject<HTMLTextAreaElement | null>;
  draft: string;
  error: string | null;
  answering: boolean;
  /** What was sent last. */
  lastMessage?: string | undefined;
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

  function onKey(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.key === 'ArrowUp' && draft === '' && lastMessage) {
      event.preventDefault();
      onDraft(lastMessage);
    }
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (!answering && text) onSend(text);
  }

  return (
    <form className="composer" hidden={hidden} onSubmit={submit}>
      {error && (
        <p id={errorId} className="form-error" role="alert">
          {error}
        </p>
      )}
      <div className="composer-box">
        <textarea
          ref={box}
          aria-label="Message to the assistant"
          aria-describedby={error ? errorId : undefined}
          placeholder="Message the assistant"
          rows={1}
          dir="auto"
          maxLength={MESSAGE_MAX}
          value={draft}
          onChange={(event) => onDraft(event.target.value)}
          onKeyDown={onKey}
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
