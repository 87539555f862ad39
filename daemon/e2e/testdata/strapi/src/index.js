'use strict';

const ARTICLE = 'api::article.article';

module.exports = {
  // What the buttons of the admin panel do: POST /drive/publish {"documentId": …}
  register({ strapi }) {
    strapi.server.routes([
      {
        method: 'POST',
        path: '/drive/:action',
        config: { auth: false },
        handler: async (ctx) => {
          const act = strapi.documents(ARTICLE)[ctx.params.action];
          ctx.body = { document: await act(ctx.request.body) };
        },
      },
    ]);
  },

  // What somebody clicks once: everybody may read articles, and a webhook with
  // every event of entries.
  async bootstrap({ strapi }) {
    const role = await strapi.db.query('plugin::users-permissions.role').findOne({ where: { type: 'public' } });
    for (const action of ['find', 'findOne']) {
      await strapi.db.query('plugin::users-permissions.permission').create({
        data: { action: `${ARTICLE}.${action}`, role: role.id },
      });
    }
    const webhook = await strapi.get('webhookStore').createWebhook({
      name: 'rebake',
      url: process.env.WEBHOOK_URL,
      headers: { Authorization: `Bearer ${process.env.WEBHOOK_SECRET}` },
      events: ['entry.create', 'entry.update', 'entry.delete', 'entry.publish', 'entry.unpublish'],
      isEnabled: true,
    });
    strapi.get('webhookRunner').add(webhook);
  },
};
