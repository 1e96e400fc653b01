// What the search finds first: the guides, then the pages of measurements and of the Python interface, and after all
// of them its classes, functions and attributes, of which every second word has one.
var Scorer = {
  objNameMatch: 6,
  objPartialMatch: 2,
  objPrio: { 0: 0, 1: -2, 2: -6 },
  objPrioDefault: 0,
  title: 30,
  partialTitle: 14,
  term: 10,
  partialTerm: 4,
  score([page, , , , score, , kind]) {
    if (kind === "object") return score - 100;
    return score - (page === "api" || page.startsWith("api-") ? 40 : page === "benchmarks" ? 8 : 0);
  },
};
