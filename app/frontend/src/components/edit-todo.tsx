'use client';

import { type FormEvent, type KeyboardEvent, useState } from 'react';
import type { TodoFields } from '@/client/api';
import { tagsFrom, tagsProblem } from '@/client/tags';
import { differences, type SaveResult } from '@/client/todo-store';
import { TITLE_MAX, type Todo } from '@/shared/todo';
import { type DetailFields, TodoDetails } from './todo-fields';

interface Conflict {
  current: Todo;
  mine: TodoFields;
}

/** The form in place of a todo. When the todo was changed elsewhere meanwhile, the person chooses. */
export function EditTodo({
  todo,
  onSave,
  onClose,
}: {
  todo: Todo;
  onSave: (seen: Todo, fields: TodoFields) => Promise<SaveResult>;
  onClose: () => void;
}) {
  // What the person saw when they began to write, even if the list is loaded again meanwhile.
  const [seen] = useState(todo);
  const [title, setTitle] = useState(todo.title);
  const [details, setDetails] = useState<DetailFields>({
    dueDate: todo.due_date ?? '',
    priority: todo.priority,
    tags: todo.tags.join(', '),
  });
  const [error, setError] = useState<string | null>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [saving, setSaving] = useState(false);

  async function save(base: Todo, fields: TodoFields) {
    if (Object.keys(fields).length === 0) return onClose();
    setSaving(true);
    const result = await onSave(base, fields);
    setSaving(false);
    if (result.saved) return onClose();
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
      due_date: details.dueDate || null,
      priority: details.priority,
      tags,
    };
    void save(seen, changedFields(seen, written));
  }

  function leaveOnEscape(event: KeyboardEvent) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      onClose();
    }
  }

  return (
    <form
      className="edit"
      aria-label={`Edit ${seen.title}`}
      onSubmit={submit}
      onKeyDown={leaveOnEscape}
      noValidate
    >
      <label className="field field-wide">
        <span>Title</span>
        <input
          type="text"
          // biome-ignore lint/a11y/noAutofocus: the person has just asked for this form
          autoFocus
          dir="auto"
          maxLength={TITLE_MAX}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
      </label>
      <TodoDetails fields={details} onChange={setDetails} />
      {error && (
        <p className="form-error" role="alert">
          {error}
        </p>
      )}
      {conflict ? (
        <ConflictChoice
          seen={seen}
          current={conflict.current}
          onTheirs={onClose}
          onMine={() => void save(conflict.current, conflict.mine)}
        />
      ) : (
        <div className="edit-actions">
          <button type="button" className="button" onClick={onClose}>
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

function changedFields(
  seen: Todo,
  written: Pick<Todo, 'title' | 'due_date' | 'priority' | 'tags'>,
): TodoFields {
  const fields: TodoFields = {};
  if (written.title !== seen.title) fields.title = written.title;
  if (written.due_date !== seen.due_date) fields.due_date = written.due_date;
  if (written.priority !== seen.priority) fields.priority = written.priority;
  if (written.tags.join() !== seen.tags.join()) fields.tags = written.tags;
  return fields;
}
