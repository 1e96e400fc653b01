// What the search finds first: pages whose title or text has the word, then classes and functions, last attributes.
var Scorer = {
  objNameMatch: 6,
  objPartialMatch: 2,
  objPrio: { 0: 0, 1: -2, 2: -6 },
  objPrioDefault: 0,
  title: 30,
  partialTitle: 14,
  term: 10,
  partialTerm: 4,
};
