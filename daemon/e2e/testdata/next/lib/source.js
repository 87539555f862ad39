// The texts of the site: the source answers GET /<name> with {title, text}, or
// with 404.
export async function read(name, options) {
  const res = await fetch(`${process.env.SOURCE}/${name}`, options)
  if (res.status === 404) return null
  if (!res.ok) throw new Error(`the source answers ${res.status} for ${name}`)
  return res.json()
}
