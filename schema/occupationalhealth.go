package schema

// OccupationalHealth holds the clearance status and nothing else: "limited
// healthcare information relating to your employment, specifically occupational
// health clearance status" [V toolkit]. Test results and vaccinations do not
// belong in a passport.
type OccupationalHealth struct {
	Clearance Value[string] `json:"clearance,omitzero" title:"Clearance status" codes:"occupational-health-clearance"`
	Section
}
