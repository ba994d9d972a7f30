// Package chaos tests fanout against a model, under faults.
//
// A seed drives rounds. In each, a list of random operations runs against real API servers: users of the hub edit
// parents and register members, strangers work in the members, CRDs, namespaces and the controller itself come and go,
// so does the stand-in for canary-checker in two of the members (checkers.go), and proxies between fanout and every API
// server cut, delay and falsify what passes. The harness itself goes to the API servers directly. Beside each operation
// a model (model.go) keeps what the members should hold. When the operations are done, all faults are healed and what is
// unfinished is finished (settle.go), and within a bound the members must hold exactly what the model says; only copies
// from before the hub's CRD was installed again are left to wait for parents. Resync and orphan sweep are an hour away,
// so that they mask no lost key.
//
// What must hold at the end of a round (converge.go): every cluster's copies are those of the model, with the right
// content and nothing more than canary-checker added; every stranger is as it was left; every deregistered Secret is
// gone; every parent's status says of each agent that it selects what the copy there says itself (results.go). What must hold at all times: no object that is not fanout's changes (watch.go, by a watch of its own on every
// API server); no copy is deleted that nothing has unwanted since the hub's generation it was created from (lineage.go),
// even if it comes back; no credential does more than the probe until it is proven (credentials.go); fanout writes
// nothing but what it needs to (aftermath.go), ends only when it is told to, races nowhere, and logs no token.
//
// Round k of a run has the seed of the run plus k, and can be run alone. The operations follow from the seed; when each
// meets fanout does not, so a failure may take several repetitions to come again.
package chaos
