'use client';

import { type FormEvent, useId, useRef, useState } from 'react';
import type { Problem } from '@/client/api';
import { tagsFrom, tagsProblem } from '@/client/tags';
import { quoted, TITLE_MAX, type TodoDraft } from '@/shared/todo';
import { SlidersIcon } from './icons';
import { NO_DETAILS, TodoDetails } from './todo-fields';

interface Attempt {
  key: string;
  draft: string;
}

/** The form that adds a todo. What could not be added comes back into it. */
export function AddTodo({ onAdd }: { onAdd: (draft: TodoDraft, key: string) => Promise<Problem | null> }) {
  const [title, setTitle] = useState('');
  const [details, setDetails] = useState(NO_DETAILS);
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const failed = useRef<Attempt | null>(null);
  const detailsId = useId();
  const errorId = useId();

  async function submit(event: FormEvent) {
    event.preventDefault();
    const tags = tagsFrom(details.tags);
    const problem = title.trim() === '' ? 'Write what is to be done.' : tagsProblem(tags);
    setError(problem);
    if (problem) return input.current?.focus();

    const draft = {
      title: title.trim(),
      due_date: details.dueDate || null,
      priority: details.priority,
      tags,
    };
    const key = keyFor(draft);
    setTitle('');
    setDetails(NO_DETAILS);
    input.current?.focus();
    const refusal = await onAdd(draft, key);
    if (!refusal) return;
    failed.current = { key, draft: JSON.stringify(draft) };
    setTitle((current) => current || draft.title);
    setDetails((current) => (current === NO_DETAILS ? details : current));
    setError(`${quoted(draft.title)} was not added. ${refusal.message}`);
  }

  /** The key of the failed try when this is the same todo again, since its answer may be all that was lost. */
  function keyFor(draft: TodoDraft): string {
    return failed.current?.draft === JSON.stringify(draft) ? failed.current.key : crypto.randomUUID();
  }

  return (
    <form className="add" onSubmit={submit} noValidate>
      <div className="add-row">
        <input
          ref={input}
          className="add-title"
          type="text"
          aria-label="New todo"
          aria-invalid={error !== null}
          aria-describedby={error ? errorId : undefined}
          placeholder="Add a todo"
          autoComplete="off"
          dir="auto"
          maxLength={TITLE_MAX}
          value={title}
          onChange={(event) => {
            setTitle(event.target.value);
            setError(null);
          }}
        />
        <button
          type="button"
          className="icon-button"
          aria-expanded={open}
          aria-controls={detailsId}
          aria-label="Date, priority and tags"
          title="Date, priority and tags"
          onClick={() => setOpen(!open)}
        >
          <SlidersIcon />
        </button>
        <button type="submit" className="button button-strong">
          Add
        </button>
      </div>
      <div id={detailsId} hidden={!open}>
        <TodoDetails fields={details} onChange={setDetails} />
      </div>
      {error && (
        <p id={errorId} className="form-error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
