'use client';

import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import type { Problem } from '@/client/problem';
import { tagsFrom, tagsProblem } from '@/client/tags';
import { useDraft } from '@/client/use-draft';
import { type Parse, useParsed } from '@/client/use-parsed';
import type { VisitorClock } from '@/shared/clock';
import { type ParsedTodo, quoted, TITLE_MAX, type TodoDraft } from '@/shared/todo';
import { AddPreview, saysMore } from './add-preview';
import { SlidersIcon } from './icons';
import { type DetailFields, dueOf, NO_DETAILS, TodoDetails } from './todo-fields';

/** An add that failed, to be sent as the same one when the person tries again. */
interface Attempt {
  written: string;
  key: string;
  draft: TodoDraft;
}

/** The form that adds a todo. What could not be added comes back into it. */
export function AddTodo({
  onAdd,
  onNote,
  reachable,
  parse,
  now,
  locale,
}: VisitorClock & {
  onAdd: (draft: TodoDraft, key: string) => Promise<Problem | null>;
  /** Tell what a todo cannot hold of what was written. */
  onNote: (note: string) => void;
  /** Whether the service can be reached, so that what was said of an outage ends with it. */
  reachable: boolean;
  parse?: Parse;
}) {
  const [title, setTitle] = useDraft('add');
  const [keptDetails, keepDetails] = useDraft('add-details');
  const details = keptDetails ? (JSON.parse(keptDetails) as DetailFields) : NO_DETAILS;
  const [open, setOpen] = useState(false);
  const [error, setError] = useState<{ text: string; connection: boolean } | null>(null);
  /** The text whose words the person wants to keep as they are. */
  const [literal, setLiteral] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const failed = useRef<Attempt | null>(null);
  const { parsed, find } = useParsed(title, parse);
  const detailsId = useId();
  const errorId = useId();
  const asWritten = literal === title.trim();

  useEffect(() => {
    if (reachable) setError((current) => (current?.connection ? null : current));
  }, [reachable]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const text = title.trim();
    const problem = text === '' ? 'Write what is to be done.' : tagsProblem(tagsFrom(details.tags));
    setError(problem ? { text: problem, connection: false } : null);
    if (problem) return input.current?.focus();

    const written = JSON.stringify([text, details, asWritten]);
    setTitle('');
    keepDetails('');
    input.current?.focus();
    const attempt = await attemptAt(text, written);
    const refusal = await onAdd(attempt.draft, attempt.key);
    failed.current = refusal && attempt;
    if (!refusal) return;
    setTitle((current) => current || text);
    keepDetails((current) => current || keptDetails);
    const sentence = `${quoted(attempt.draft.title)} was not added. ${refusal.message}`;
    setError({ text: sentence, connection: refusal.isConnection });
  }

  /** The failed attempt when this is the same again, since its answer may be all that was lost. */
  async function attemptAt(text: string, written: string): Promise<Attempt> {
    if (failed.current?.written === written) return failed.current;
    const understood = asWritten ? null : await find(text);
    if (understood?.note) onNote(understood.note);
    return { written, key: crypto.randomUUID(), draft: draftOf(text, understood, details) };
  }

  return (
    <form className="add" data-open={open} onSubmit={submit} noValidate>
      <div className="add-row">
        <input
          ref={input}
          className="add-title"
          type="text"
          aria-label="New todo"
          aria-invalid={error !== null}
          aria-describedby={error ? errorId : undefined}
          placeholder="Add a todo: write report tomorrow #work"
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
          aria-label="Date, priority, tags and notes"
          title="Date, priority, tags and notes"
          onClick={() => setOpen(!open)}
        >
          <SlidersIcon />
        </button>
        <button type="submit" className="button button-strong">
          Add
        </button>
        {parsed && !asWritten && saysMore(parsed) && (
          <AddPreview
            parsed={parsed}
            now={now}
            locale={locale}
            onLiteral={() => {
              setLiteral(title.trim());
              input.current?.focus();
            }}
          />
        )}
      </div>
      <div id={detailsId} hidden={!open}>
        <TodoDetails fields={details} onChange={(changed) => keepDetails(JSON.stringify(changed))} />
      </div>
      {error && (
        <p id={errorId} className="form-error" role="alert">
          {error.text}
        </p>
      )}
    </form>
  );
}

/** What is added: the words as they were understood, and over them what was chosen by hand. */
function draftOf(text: string, understood: ParsedTodo | null, details: DetailFields): TodoDraft {
  const { title, due_date, due_time, priority, tags } = understood ?? {
    title: text,
    due_date: null,
    due_time: null,
    priority: 'normal' as const,
    tags: [],
  };
  return {
    title,
    ...(details.dueDate ? dueOf(details) : { due_date, due_time }),
    priority: details.priority === 'normal' ? priority : details.priority,
    tags: [...new Set([...tags, ...tagsFrom(details.tags)])].slice(0, 10),
    notes: details.notes.trim(),
  };
}
