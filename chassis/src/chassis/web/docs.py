"""``/docs``: the OpenAPI document as a page a person reads. No script, nothing from elsewhere."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template_string

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ info.title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
details{border:1px solid #8884;border-radius:6px;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}
code{font:13px ui-monospace,monospace}.verb{display:inline-block;width:4.5rem;font-weight:700;text-transform:uppercase}
table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #8884;padding:.2rem .6rem;text-align:left}
pre{overflow:auto;background:#8881;padding:.6rem;border-radius:6px}.muted{opacity:.7}</style></head><body>
<h1>{{ info.title }} <span class="muted">{{ info.version }}</span></h1><p>{{ info.description }}</p>
<p>The machine's version of this page: <a href="/openapi.json">/openapi.json</a></p>
{% for tag, operations in tags %}<h2>{{ tag }}</h2>{% for path, verb, op in operations %}
<details><summary><span class="verb">{{ verb }}</span> <code>{{ path }}</code> {{ op.summary or "" }}</summary>
{% if op.description %}<p>{{ op.description }}</p>{% endif %}
<p class="muted">{% if op.security %}{{ op["x-permission"] or "any signed-in caller" }}{% else %}public{% endif %}</p>
{% if op.parameters %}<table><tr><th>parameter</th><th>in</th><th></th><th>meaning</th></tr>{% for p in op.parameters %}
<tr><td><code>{{ p.name }}</code></td><td>{{ p["in"] }}</td><td>{{ "required" if p.required }}</td>
<td>{{ p.description or "" }} <code>{{ p.schema | tojson }}</code></td></tr>{% endfor %}</table>{% endif %}
{% if op.requestBody %}<h4>Body</h4>{% for type, content in op.requestBody.content.items() %}
<p><code>{{ type }}</code></p><pre>{{ content.schema | tojson(indent=1) }}</pre>{% endfor %}{% endif %}
<h4>Answers</h4><table>{% for status, answer in op.responses.items() %}<tr><td>{{ status }}</td>
<td>{{ answer.description }}</td><td>{% for type, content in (answer.content or {}).items() %}
<code>{{ (content.schema or {})["$ref"] or type }}</code>{% endfor %}</td></tr>{% endfor %}</table></details>
{% endfor %}{% endfor %}<h2>Schemas</h2>{% for name, schema in schemas.items() %}
<details id="{{ name }}"><summary><code>{{ name }}</code></summary><pre>{{ schema | tojson(indent=1) }}</pre></details>
{% endfor %}</body></html>"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


def page(document: dict[str, Any]) -> Response:
    """The document, grouped by its tags."""
    tags: dict[str, list[tuple[str, str, Any]]] = {}
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            if verb != "parameters":
                tags.setdefault((operation.get("tags") or ["other"])[0], []).append((path, verb, operation))
    html = render_template_string(
        _PAGE, info=document["info"], tags=sorted(tags.items()), schemas=document["components"]["schemas"]
    )
    return Response(html, mimetype="text/html", headers={"Content-Security-Policy": _POLICY})
