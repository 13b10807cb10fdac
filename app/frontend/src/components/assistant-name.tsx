'use client';

import { useRef } from 'react';
import { useLightDismiss } from '@/client/use-light-dismiss';
import type { AssistantInfo } from '@/shared/chat';

/** Who answers; with the built-in assistant also what it is, and the way to Gemini. */
export function AssistantName({
  assistant,
  model,
}: {
  assistant: AssistantInfo['assistant'] | null;
  model: string | null;
}) {
  if (assistant === 'rules') return <BuiltInAssistant />;
  const name = assistant === 'gemini' ? `Gemini${model ? ` · ${model}` : ''}` : '';
  return (
    <p className="assistant-name" title={name && 'Google Gemini answers here.'} data-assistant={assistant}>
      {name}
    </p>
  );
}

function BuiltInAssistant() {
  const details = useRef<HTMLDetailsElement>(null);
  useLightDismiss(details);
  return (
    <details className="assistant-name" data-assistant="rules" ref={details}>
      <summary>Built-in assistant</summary>
      <div className="assistant-help">
        <p>
          Simple rules answer here. They run without an account and understand short requests; write “help”
          for examples. <b>Google Gemini</b> understands free language. To use it:
        </p>
        <ol>
          <li>
            Get a key from{' '}
            <a href="https://aistudio.google.com/apikey" target="_blank" rel="noopener noreferrer">
              aistudio.google.com/apikey
            </a>{' '}
            with a Google account.
          </li>
          <li>
            Write it into the file <code>.env</code> of the project: <code>GEMINI_API_KEY=…</code>
          </li>
          <li>
            Run <code>invoke up</code>.
          </li>
        </ol>
        <p>Your todos and messages then go to Google to be answered.</p>
      </div>
    </details>
  );
}
