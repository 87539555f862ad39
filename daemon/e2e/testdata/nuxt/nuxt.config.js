export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  telemetry: false,
  app: { head: { title: 'Rebake', link: [{ rel: 'icon', href: 'data:,' }] } },
  // Of these Nitro keeps a copy, and gives it away once more when it is old.
  routeRules: { '/kept/**': { swr: 1 } },
})
