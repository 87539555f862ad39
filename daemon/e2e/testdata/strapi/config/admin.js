// Nobody signs in: what an editor does, the test does by src/index.js.
module.exports = {
  serveAdminPanel: false,
  auth: { secret: 'the-secret-of-nobody' },
  apiToken: { salt: 'salt-of-tokens' },
  transfer: { token: { salt: 'salt-of-transfers' } },
};
