package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"lazuli/internal/arm"
	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// hash is that of a template: a number, as in Azure, and the same for templates
// that differ in spaces and comments only.
func hash(t *jsonc.Object) string {
	sum := sha256.Sum256(jsonc.Append(nil, t))
	return strconv.FormatUint(binary.BigEndian.Uint64(sum[:]), 10)
}

type templateHash struct {
	MinifiedTemplate string `json:"minifiedTemplate"`
	TemplateHash     string `json:"templateHash"`
}

// calculateHash answers with the hash of the template that is the body.
func (d *Deployments) calculateHash(_ context.Context, c *arm.Call, _ map[string]string) (arm.Result, error) {
	v, err := jsonc.Parse(c.Body)
	if err != nil {
		return arm.Result{}, refusal(template.InvalidContent(err))
	}
	t, ok := v.(*jsonc.Object)
	if !ok {
		return arm.Result{}, arm.BadRequest("InvalidRequestContent", "The request content was invalid: a template, which is a JSON object, is needed.")
	}
	return arm.Result{Body: templateHash{string(jsonc.Append(nil, t)), hash(t)}}, nil
}
