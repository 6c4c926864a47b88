import type { NextConfig } from 'next'
import createNextIntlPlugin from 'next-intl/plugin'

const config: NextConfig = {
  poweredByHeader: false,
  // A pasted or uploaded stock list may have 2 MB; every action bounds its own fields below that.
  experimental: { serverActions: { bodySizeLimit: '11mb' } },
  reactStrictMode: true,
  // Native or generated code that must be loaded as it is, not bundled.
  serverExternalPackages: ['argon2', 'pg', '@prisma/client', '@prisma/adapter-pg', 'pino', 'graphile-worker', 'pdfkit'],
  // Types are checked by `tsc` in the one gate (npm test); checking them again would only make the first start slower.
  typescript: { ignoreBuildErrors: true },
  headers: async () => [
    { source: '/_next/static/:path*', headers: [{ key: 'X-Content-Type-Options', value: 'nosniff' }] },
  ],
}

export default createNextIntlPlugin('./i18n/request.ts')(config)
