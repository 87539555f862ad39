// Shows an editor what is not public yet.
export default function handler(req, res) {
  res.setPreviewData({})
  res.redirect('/posts/one')
}
