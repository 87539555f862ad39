module.exports = {
  'users-permissions': { config: { jwtSecret: 'the-secret-of-no-user' } },
};
