'use client';

import { NOTES_MAX, PRIORITIES, type Priority, type TodoDraft } from '@/shared/todo';

/** Date, time, priority, tags and notes as a person edits them; tags are still one text. */
export interface DetailFields {
  dueDate: string;
  dueTime: string;
  priority: Priority;
  tags: string;
  notes: string;
}

export const NO_DETAILS: DetailFields = { dueDate: '', dueTime: '', priority: 'normal', tags: '', notes: '' };

/** The fields of a todo, as a person begins to edit them. */
export function fieldsOf(todo: TodoDraft): DetailFields {
  return {
    dueDate: todo.due_date ?? '',
    dueTime: todo.due_time ?? '',
    priority: todo.priority,
    tags: todo.tags.join(', '),
    notes: todo.notes,
  };
}

/** What the fields say about when it is due. */
export function dueOf({ dueDate, dueTime }: DetailFields): Pick<TodoDraft, 'due_date' | 'due_time'> {
  return { due_date: dueDate || null, due_time: dueDate && dueTime ? dueTime : null };
}

const PRIORITY_NAMES: Record<Priority, string> = { low: 'Low', normal: 'Normal', high: 'High' };

/** The inputs for date, time, priority, tags and notes. */
export function TodoDetails({
  fields,
  onChange,
}: {
  fields: DetailFields;
  onChange: (fields: DetailFields) => void;
}) {
  return (
    <div className="details">
      <label className="field">
        <span>Due</span>
        <input
          type="date"
          value={fields.dueDate}
          min="0001-01-01"
          max="9999-12-31"
          onChange={(event) => onChange({ ...fields, dueDate: event.target.value })}
        />
      </label>
      <label className="field">
        <span>Time</span>
        <input
          type="time"
          value={fields.dueDate ? fields.dueTime : ''}
          disabled={fields.dueDate === ''}
          title={fields.dueDate ? undefined : 'Choose a date first'}
          onChange={(event) => onChange({ ...fields, dueTime: event.target.value.slice(0, 5) })}
        />
      </label>
      <label className="field">
        <span>Priority</span>
        <select
          value={fields.priority}
          onChange={(event) => onChange({ ...fields, priority: event.target.value as Priority })}
        >
          {PRIORITIES.map((priority) => (
            <option key={priority} value={priority}>
              {PRIORITY_NAMES[priority]}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>Tags</span>
        <input
          type="text"
          value={fields.tags}
          placeholder="home, errands"
          autoCapitalize="none"
          onChange={(event) => onChange({ ...fields, tags: event.target.value })}
        />
      </label>
      <label className="field field-notes">
        <span>Notes</span>
        <textarea
          rows={2}
          dir="auto"
          maxLength={NOTES_MAX}
          value={fields.notes}
          onChange={(event) => onChange({ ...fields, notes: event.target.value })}
        />
      </label>
    </div>
  );
}
