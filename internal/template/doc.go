// Package template reads ARM templates and says what they mean: which
// resources to make in which order with which bodies, and what the outputs
// are. It knows nothing of Lazuli, of HTTP or of stores. What is known only
// while a deployment runs it asks of a Runtime.
//
// A reconciler of deployments keeps the template, the parameters and a few
// facts (the rest of Input), and remembers nothing else:
//
//	t, err := template.Parse(text)     // or New, within a request that was read
//	plan, err := t.Plan(ctx, in)       // checks parameters and all of the template
//
// Errors up to here are of type *Error: the reply to the request, with the
// place in its text. A deployment that is under way makes the same plan again
// from the same Input, and then for each resource
//
//	for _, r := range plan.Resources {
//		if !r.Deployed() || !all(r.DependsOn, done) {
//			continue               // skipped, only referred to, or too early
//		}
//		body, err := plan.Body(ctx, r, runtime)
//		…                          // PUT body to r.ID with r.APIVersion
//	}
//	outputs, err := plan.Outputs(ctx, runtime)   // when all are done
//
// Resources whose dependencies are done can be made at the same time. Serial
// loops and batches are dependencies like others. In complete mode, what
// plan.Has does not have is deleted. A resource that IsDeployment has a body
// that is a deployment of its own; plan.Nested plans it here, which validation
// and what-if need. Preview evaluates what can be evaluated before anything is
// made, and package whatif compares it with what is there.
//
// Every evaluation has a budget of steps and memory, and every count has
// Azure's limit, so that no template can harm its reader.
package template
