package member

// action is what a sync does with one derived Canary.
type action string

const (
	actionNone   action = "none"   // as it should be, or nobody asks for it and it is not there
	actionCreate action = "create" // asked for and not there
	actionUpdate action = "update" // there, derived from something else than what is asked for now
	actionVerify action = "verify" // there, but not as fanout wrote it: look whether what fanout wrote still holds
	actionDelete action = "delete" // there, and nobody asks for it
	actionWait   action = "wait"   // terminating: what comes next, if anything, is decided when it is gone
)

// decide compares what the hub asks for with what the member holds (nil: nothing). settled is the content that
// the place was last found to hold rightly for the same hash, where that differs from the content asked for: others
// may add fields, and a member's schema may add defaults.
//
//	asked for   held                          action
//	---------   ---------------------------   ------
//	frozen      anything                      none
//	anything    terminating                   wait
//	nothing     nothing                       none
//	nothing     a Canary                      delete
//	a Canary    nothing                       create
//	a Canary    another hash                  update
//	a Canary    … with fields that are to go
//	            and that others wrote to      verify
//	a Canary    its hash, no generation       update (or one that the parent has not reached)
//	a Canary    its hash, other content       verify
//	a Canary    its hash, its content         none
func decide(want Demand, have *observed, settled string) action {
	switch {
	case want.Frozen:
		return actionNone
	case have == nil && want.Hash == "":
		return actionNone
	case have == nil:
		return actionCreate
	case have.terminating:
		return actionWait
	case want.Hash == "":
		return actionDelete
	case have.hash != want.Hash && len(takenAway(have.shared, want.Copy)) > 0:
		return actionVerify
	case have.hash != want.Hash:
		return actionUpdate
	case have.generation < 1 || have.generation > want.Generation:
		return actionUpdate
	case have.content != want.Content && have.content != settled:
		return actionVerify
	default:
		return actionNone
	}
}
