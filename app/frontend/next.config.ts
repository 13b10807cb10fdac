import type { NextConfig } from 'next';

const SECURITY_HEADERS = [
  { key: 'X-Content-Type-Options', value: 'nosniff' },
  { key: 'X-Frame-Options', value: 'DENY' },
  { key: 'Referrer-Policy', value: 'no-referrer' },
  { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
  { key: 'Cross-Origin-Resource-Policy', value: 'same-origin' },
  { key: 'Permissions-Policy', value: 'camera=(), geolocation=(), microphone=(), payment=()' },
];

const config: NextConfig = {
  output: 'standalone',
  outputFileTracingRoot: import.meta.dirname,
  poweredByHeader: false,
  reactStrictMode: true,
  // `npm run typecheck` checks these files and the tests; an image is not held up by checking twice.
  typescript: { ignoreBuildErrors: true },
  // The framework would write files for coding tools beside the source.
  agentRules: false,
  // Loaded by Node.js itself, so that every route shares one metrics registry and one connection pool.
  serverExternalPackages: ['prom-client', 'undici'],
  // The root file system is read-only in the cluster.
  experimental: { isrFlushToDisk: false },
  headers: async () => [{ source: '/:path*', headers: SECURITY_HEADERS }],
};

export default config;
