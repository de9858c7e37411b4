"""How a report looks, in light and dark, on paper and on a narrow screen."""

from __future__ import annotations

#: colors are told apart by those who see few of them: blue against orange, and by lightness
STYLE = """
:root{--ground:#fff;--ink:#1c2330;--soft:#667085;--rule:#e4e7ec;--card:#f7f8fa;--hot:217,95,2;--cool:#2563a8;--dot:#b54708}
@media (prefers-color-scheme:dark){:root{--ground:#14171c;--ink:#e8eaee;--soft:#9aa3b2;--rule:#2b303a;--card:#1b1f26;
--hot:253,141,60;--cool:#7fb2e5;--dot:#fd9a4e}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
header,main,footer{max-width:1120px;margin:0 auto;padding:0 24px}
header{padding-top:36px}h1{font-size:28px;line-height:1.2;margin:0;overflow-wrap:anywhere}
.sub{color:var(--soft);margin:6px 0 14px}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;border-bottom:1px solid var(--rule);padding-bottom:12px}
a{color:var(--cool);text-decoration:none}a:hover{text-decoration:underline}
h2{font-size:19px;margin:38px 0 10px}p{margin:6px 0;max-width:75ch;overflow-wrap:anywhere}
.small,footer,figcaption{color:var(--soft);font-size:13px}footer{padding:32px 24px}
.numbers{display:flex;flex-wrap:wrap;gap:12px}
.numbers div{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 16px;min-width:120px}
.numbers b{display:block;font-size:24px;line-height:1.25;font-variant-numeric:tabular-nums}
.numbers span{color:var(--soft);font-size:13px}
.bar{display:grid;grid-template-columns:minmax(150px,1fr) 236px minmax(0,2fr);gap:8px 20px;padding:12px 0;
border-bottom:1px solid var(--rule);align-items:start;break-inside:avoid}
.what b,.what span,.much span{display:block}.what span,.much span{color:var(--soft);font-size:13px}
.what b{overflow-wrap:anywhere}.much b{font-size:18px;font-variant-numeric:tabular-nums}
.pictures{display:flex;flex-wrap:wrap;gap:8px}figure{margin:0;width:118px}
figure img,.unread{width:118px;height:88px;object-fit:contain;background:var(--card);border-radius:4px;display:block}
.unread{color:var(--soft);font-size:12px;display:grid;place-items:center}
.interval{display:block;margin:2px 0;max-width:100%}.rail{fill:var(--rule)}.band{fill:rgba(var(--hot),.35)}
.dot{fill:var(--dot)}.mark{fill:var(--ink)}
.wide{overflow-x:auto;margin:8px 0 16px}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:5px 12px;border-bottom:1px solid var(--rule);text-align:left;vertical-align:bottom;font-weight:400}
thead th{color:var(--soft);font-size:13px}
.heat td{text-align:center;min-width:64px;padding:4px 8px;border:2px solid var(--ground);border-radius:4px;
background:rgba(var(--hot),var(--much,0))}
.heat td b{display:block;font-size:14px}.heat td span{font-size:11px;opacity:.75}
.heat td.unsure b{font-weight:400;font-style:italic}.heat td.none{background:var(--card);color:var(--soft)}
.heat th[scope=row]{position:sticky;left:0;background:var(--ground);min-width:90px;max-width:220px;
vertical-align:middle;overflow-wrap:break-word}
.heat thead th{max-width:110px;text-align:center;overflow-wrap:break-word}.heat thead th:first-child{text-align:left}
.heat tbody tr:first-child th{font-weight:700}
.chart{width:auto;max-width:320px;display:inline-block;margin:8px 24px 8px 0;vertical-align:top}
.chart svg{max-width:100%}
.chart text{font-size:11px;fill:var(--soft)}.chart polyline{fill:none;stroke-width:2}
.tick{stroke:var(--rule)}.diagonal{stroke:var(--soft);stroke-dasharray:3 3}
polyline.c0{stroke:var(--dot)}polyline.c1{stroke:var(--cool)}polyline.c2{stroke:var(--ink)}polyline.c3{stroke:var(--soft)}
circle.c0{fill:var(--dot)}circle.c1{fill:var(--cool)}circle.c2{fill:var(--ink)}circle.c3{fill:var(--soft)}
.names span,.names i{margin-right:14px;font-size:13px}.names .c0{color:var(--dot)}.names .c1{color:var(--cool)}
.names .c3,.names i{color:var(--soft)}
@media (max-width:760px){.bar{grid-template-columns:1fr}header,main,footer{padding-left:16px;padding-right:16px}}
@media print{nav{display:none}body{font-size:12px}}
""".strip()
