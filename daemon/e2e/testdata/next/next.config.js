// What lies above the folder is not the app's.
module.exports = { turbopack: { root: __dirname }, poweredByHeader: false }
