package arm_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lazuli/internal/arm"
)

func TestMethods(t *testing.T) {
	tests := map[string]struct {
		typ  arm.Type
		want []string
		list bool
	}{
		"all":         {arm.Type{Created: 201}, []string{"GET", "HEAD", "PUT", "PATCH", "DELETE"}, true},
		"no status":   {arm.Type{}, []string{"GET", "HEAD", "DELETE"}, true},
		"no patch":    {arm.Type{Created: 201, Verbs: arm.CanPut | arm.CanDelete | arm.CanList}, []string{"GET", "HEAD", "PUT", "DELETE"}, true},
		"not listed":  {arm.Type{Created: 200, Verbs: arm.CanPut}, []string{"GET", "HEAD", "PUT"}, false},
		"put of none": {arm.Type{Verbs: arm.CanPut | arm.CanPatch}, []string{"GET", "HEAD"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.typ.Methods()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := tt.typ.Can(arm.CanList); got != tt.list {
				t.Errorf("can be listed: %t, want %t", got, tt.list)
			}
		})
	}
}
