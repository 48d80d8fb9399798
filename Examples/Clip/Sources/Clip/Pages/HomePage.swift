import Sluice

/// The newest links, and a form for each thing that Clip takes.
func homePage(_ user: User, _ links: [Link]) -> Page {
    let items = links.map { link in
        """
        <li><a href="/l/\(link.slug)">/l/\(link.slug)</a> <span>\(link.target)</span> <b>\(link.hits)</b></li>

        """ as HTML
    }
    // The script asks for the events behind the newest of these.
    let content: HTML = """
        <form method="post" action="/links">
          <label>Address <input name="target" type="url" required></label>
          <label>Name <input name="slug" placeholder="any"></label>
          <button>Shorten</button>
        </form>
        <ul id="links" data-last="\(links.first?.id ?? 0)">
        \(items)</ul>
        <p><a href="/export/links.csv">All links as CSV</a> <a href="/export/links.ndjson">as JSON lines</a></p>
        <h2>Paste</h2>
        <form method="post" action="/pastes">
          <label>Title <input name="title" required></label>
          <label>Text <textarea name="text" rows="6" required></textarea></label>
          <button>Keep</button>
        </form>
        <h2>Upload</h2>
        <form method="post" action="/files" enctype="multipart/form-data" id="upload">
          <label>File <input name="file" type="file" required></label>
          <button>Upload</button> <output></output>
        </form>
        <h2>API</h2>
        <form method="post" action="/tokens"><button>Make a token</button></form>
        """
    return Page("Links", for: user, content)
}
