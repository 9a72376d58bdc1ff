(function () {
  "use strict";
  var form = document.getElementById("filter");
  var rows = Array.prototype.slice.call(document.querySelectorAll(".log tbody tr, .raw"));
  var folds = Array.prototype.slice.call(document.querySelectorAll("details.fold"));
  var output = form.querySelector("output");

  function fold(open) { folds.forEach(function (d) { d.open = open; }); }

  function has(list, value) { return (" " + list).indexOf(" " + value + " ") >= 0; }

  function apply() {
    var e = form.elements.e.value, d = form.elements.d.value, k = form.elements.k.value, f = form.elements.f.checked;
    var shown = 0, all = 0;
    rows.forEach(function (row) {
      var data = row.dataset;
      var fits = (!e || has(data.e, e)) && (!d || data.d === d) && (!k || data.k === k) && (!f || "f" in data);
      row.hidden = !fits;
      if (row.tagName === "TR") { all += 1; shown += fits ? 1 : 0; }
    });
    output.textContent = shown === all ? all + " rows" : shown + " of " + all + " rows";
  }

  function reveal() {
    var target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) { return; }
    var row = target.closest("tr, .raw");
    if (row && row.hidden) { form.reset(); apply(); }
    var details = target.closest("details");
    if (details) { details.open = true; }
    target.scrollIntoView();
  }

  form.hidden = false;
  form.addEventListener("change", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(apply, 0); });
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", function () { form.reset(); apply(); fold(true); });
  window.addEventListener("afterprint", function () { fold(false); });
  fold(false);
  apply();
  reveal();
})();
