{{/*
One map laid over another: maps are merged key by key, everything else is replaced, a null takes a default away. (mergeOverwrite would
keep a default list where the values say []). Input: list BASE OVER. Output: JSON.
*/}}
{{- define "todo-chatbot.merge" -}}
{{- $merged := deepCopy (index . 0) -}}
{{- range $key, $value := index . 1 -}}
  {{- $default := get $merged $key -}}
  {{- if kindIs "invalid" $value -}}
    {{- $_ := unset $merged $key -}}
  {{- else if and (kindIs "map" $value) (kindIs "map" $default) -}}
    {{- $_ := set $merged $key (include "todo-chatbot.merge" (list $default $value) | fromJson) -}}
  {{- else -}}
    {{- $_ := set $merged $key $value -}}
  {{- end -}}
{{- end -}}
{{- toJson $merged -}}
{{- end -}}

{{/*
Every service with its settings complete: the map `services`, each over `serviceDefaults`, validated. The one way in which
templates read services. Input: the root context. Output: JSON.
*/}}
{{- define "todo-chatbot.services" -}}
{{- $services := dict -}}
{{- range $name, $service := .Values.services -}}
  {{- $_ := set $services $name (include "todo-chatbot.merge" (list $.Values.serviceDefaults $service) | fromJson) -}}
{{- end -}}
{{- include "todo-chatbot.validate" (dict "root" . "services" $services) -}}
{{- toJson $services -}}
{{- end -}}
