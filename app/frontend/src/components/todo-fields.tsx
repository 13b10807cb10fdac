'use client';

import { PRIORITIES, type Priority } from '@/shared/todo';

/** Date, priority and tags as a person edits them; tags are still one text. */
export interface DetailFields {
  dueDate: string;
  priority: Priority;
  tags: string;
}

export const NO_DETAILS: DetailFields = { dueDate: '', priority: 'normal', tags: '' };

const PRIORITY_NAMES: Record<Priority, string> = { low: 'Low', normal: 'Normal', high: 'High' };

/** The inputs for date, priority and tags. */
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
      <label className="field field-wide">
        <span>Tags</span>
        <input
          type="text"
          value={fields.tags}
          placeholder="home, errands"
          autoCapitalize="none"
          onChange={(event) => onChange({ ...fields, tags: event.target.value })}
        />
      </label>
    </div>
  );
}
