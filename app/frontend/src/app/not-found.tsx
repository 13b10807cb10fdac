import { connection } from 'next/server';

/** Rendered at request time, since a page made by the build has no nonce for its scripts. */
export default async function NotFound() {
  await connection();
  return (
    <main className="plain-page">
      <h1>There is no such page</h1>
      <p>
        {/* A plain link: the framework's own would be loaded with every page for the sake of this one. */}
        <a href="/">Go to your todos</a>
      </p>
    </main>
  );
}
