// The handler as the documentation of Next.js shows it, with the secret in a
// header.
export default async function handler(req, res) {
  if (req.headers.authorization !== `Bearer ${process.env.SECRET}`) {
    return res.status(401).json({ message: 'Invalid token' })
  }
  try {
    await res.revalidate(req.query.path)
    return res.json({ revalidated: true })
  } catch (err) {
    return res.status(500).json({ revalidated: false, message: String(err) })
  }
}
