import type { buildConnector } from 'undici';

/**
 * Connect, and after a failure once more: a Service may choose another replica then, and a network policy may know a
 * new pod by then. Nothing has been sent yet, so this is safe for every request.
 */
export function withSecondTry(connect: buildConnector.connector): buildConnector.connector {
  return (options, done) => {
    connect(options, (...outcome) => {
      const [error] = outcome;
      if (error) connect(options, done);
      else done(...outcome);
    });
  };
}
