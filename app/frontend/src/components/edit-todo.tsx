'use client';

import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { TodoFields } from '@/client/api';
import { differences } from '@/client/differences';
import { tagsFrom, tagsProblem } from '@/client/tags';
import type { SaveResult } from '@/client/todo-store';
import { keepDraft, keptDraft } from '@/client/use-draft';
import { TITLE_MAX, type Todo, type TodoDraft } from '@/shared/todo';
import { type DetailFields, dueOf, fieldsOf, TodoDetails } from './todo-fields';

interface Conflict {
  current: Todo;
  mine: TodoFields;
}

/** What a person wrote into the form and did not save, with the todo as they saw it then. */
interface Draft {
  seen: Todo;
  title: string;
  details: DetailFields;
}

/** The form in place of a todo. What is not saved is kept until it is cancelled. When the todo was changed elsewhere meanwhile, the person chooses. */
export function EditTodo({
  todo,
  onSave,
  onClose,
}: {
  todo: Todo;
  onSave: (seen: Todo, fields: TodoFields) => Promise<SaveResult>;
  onClose: () => void;
}) {
  const key = `todo-${todo.id}`;
  // The todo as the person saw it when they began to write, even if the list is loaded again meanwhile.
  const [{ seen, title, details }, setDraft] = useState<Draft>(
    () => keptFor(todo) ?? { seen: todo, title: todo.title, details: fieldsOf(todo) },
  );
  const [error, setError] = useState<string | null>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [saving, setSaving] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // In braces, since what an effect gives back is called later, and some browsers give back a promise here.
    form.current?.scrollIntoView({ block: 'nearest' });
  }, []);

  function write(change: Partial<Draft>) {
    const draft = { seen, title, details, ...change };
    keepDraft(key, draft);
    setDraft(draft);
  }

  function close() {
    keepDraft(key, null);
    onClose();
  }

  async function save(base: Todo, fields: TodoFields) {
    if (Object.keys(fields).length === 0) return close();
    setSaving(true);
    const result = await onSave(base, fields);
    setSaving(false);
    if (result.saved) return close();
    setConflict(result.conflict && { current: result.conflict, mine: fields });
    setError(result.conflict ? null : result.message);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    const tags = tagsFrom(details.tags);
    const problem = title.trim() === '' ? 'A todo needs a title.' : tagsProblem(tags);
    setError(problem);
    if (problem) return;
    const written = {
      title: title.trim(),
      ...dueOf(details),
      priority: details.priority,
      tags,
      notes: details.notes.trim(),
    };
    void save(seen, changedFields(seen, written));
  }

  function leaveOnEscape(event: KeyboardEvent) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    }
  }

  function saveOnEnter(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  }

  return (
    <form
      ref={form}
      className="edit"
      aria-label={`Edit ${seen.title}`}
      onSubmit={submit}
      onKeyDown={leaveOnEscape}
      noValidate
    >
      <label className="field">
        <span>Title</span>
        <textarea
          // biome-ignore lint/a11y/noAutofocus: the person has just asked for this form
          autoFocus
          className="edit-title"
          rows={1}
          dir="auto"
          maxLength={TITLE_MAX}
          value={title}
          onFocus={(event) => event.target.setSelectionRange(title.length, title.length)}
          onKeyDown={saveOnEnter}
          onChange={(event) => write({ title: event.target.value.replace(/\s*[\r\n]+\s*/g, ' ') })}
        />
      </label>
      <TodoDetails fields={details} onChange={(changed) => write({ details: changed })} />
      {error && (
        <p className="form-error" role="alert">
          {error}
        </p>
      )}
      {conflict ? (
        <ConflictChoice
          seen={seen}
          current={conflict.current}
          onTheirs={close}
          onMine={() => void save(conflict.current, conflict.mine)}
        />
      ) : (
        <div className="edit-actions">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button button-strong" disabled={saving}>
            Save
          </button>
        </div>
      )}
    </form>
  );
}

function ConflictChoice({
  seen,
  current,
  onTheirs,
  onMine,
}: {
  seen: Todo;
  current: Todo;
  onTheirs: () => void;
  onMine: () => void;
}) {
  return (
    <div className="conflict" role="alert">
      <p>This todo was changed elsewhere while you were writing. Nothing of yours is saved yet.</p>
      <dl>
        {differences(seen, current).map(({ field, label, before, now }) => (
          <div key={field}>
            <dt>{label}</dt>
            <dd>
              <del dir="auto">{before}</del> <span aria-hidden="true">→</span> <ins dir="auto">{now}</ins>
            </dd>
          </div>
        ))}
      </dl>
      <div className="edit-actions">
        <button type="button" className="button" onClick={onTheirs}>
          Keep theirs
        </button>
        <button type="button" className="button button-strong" onClick={onMine}>
          Save mine
        </button>
      </div>
    </div>
  );
}

/** What was written about a todo before, unless an earlier version of this page kept it in another form. */
function keptFor(todo: Todo): Draft | null {
  const kept = keptDraft<Draft>(`todo-${todo.id}`);
  return kept?.details?.notes === undefined ? null : kept;
}

/** What the person changed. A date and its time go together, since one means nothing without the other. */
function changedFields(seen: Todo, written: TodoDraft): TodoFields {
  const fields: TodoFields = {};
  if (written.title !== seen.title) fields.title = written.title;
  if (written.due_date !== seen.due_date) fields.due_date = written.due_date;
  if (written.due_time !== seen.due_time)
    Object.assign(fields, { due_date: written.due_date, due_time: written.due_time });
  if (written.priority !== seen.priority) fields.priority = written.priority;
  if (written.notes !== seen.notes) fields.notes = written.notes;
  if (written.tags.join() !== seen.tags.join()) fields.tags = written.tags;
  return fields;
}
