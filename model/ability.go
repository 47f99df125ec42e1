package model

// Ability is what an opened context may be unable to do: a read-only one does not
// reload.
type Ability string

// The abilities.
const (
	CanReload     Ability = "reload"
	CanExamine    Ability = "examine" // read the nodes' files over SSH without a plan
	CanAccess     Ability = "access"
	CanComponents Ability = "components"
	CanTrace      Ability = "trace"
	CanOrigins    Ability = "origins"
	CanAct        Ability = "act" // switchover, drain and the other actions on a running cluster
)
