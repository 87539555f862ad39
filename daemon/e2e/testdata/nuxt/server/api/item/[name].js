// The texts of the site: the source answers GET /<name> with {title, text}, or
// with 404.
export default defineEventHandler((event) => $fetch(`${process.env.SOURCE}/${getRouterParam(event, 'name')}`))
