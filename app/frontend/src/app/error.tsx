'use client';

/** Shown when the page itself broke. */
export default function PageError({ reset }: { error: Error; reset: () => void }) {
  return (
    <main className="plain-page">
      <h1>This page broke</h1>
      <p>Your todos are safe. Nothing that was confirmed is lost.</p>
      <p>
        <button type="button" className="button" onClick={reset}>
          Try again
        </button>
      </p>
    </main>
  );
}
