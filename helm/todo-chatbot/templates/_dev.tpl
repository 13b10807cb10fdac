{{/* The program of files/dev.py as a ConfigMap has it: its name carries its hash, so that another one rolls the pods. Input: the root. */}}
{{- define "todo-chatbot.devName" -}}
{{- printf "%s-dev-%s" (include "todo-chatbot.fullname" .) (.Files.Get "files/dev.py" | sha256sum | trunc 8) -}}
{{- end -}}

{{/* Where the writable source folders are mounted: where the image has them, or below `from` while they are filled. Input: dict "service" "below". Output: JSON. */}}
{{- define "todo-chatbot.devMounts" -}}
{{- $mounts := dict -}}
{{- range $position, $folder := .service.dev.folders -}}
  {{- $_ := set $mounts (printf "in-sources-%d" $position) (ternary (printf "%s/%d" $.below $position) $folder (not (empty $.below))) -}}
{{- end -}}
{{- if $mounts -}}
  {{- $_ := set $mounts "in-dev" "/etc/in-dev" -}}
{{- end -}}
{{- toJson $mounts -}}
{{- end -}}

{{/* The volumes of the writable source folders, and of the program. Input: dict "root" "service". */}}
{{- define "todo-chatbot.devVolumes" -}}
{{- range $position, $_ := .service.dev.folders }}
- name: "in-sources-{{ $position }}"
  emptyDir:
    sizeLimit: {{ $.service.dev.size | quote }}
{{- end }}
{{- if .service.dev.folders }}
- name: in-dev
  configMap:
    name: {{ include "todo-chatbot.devName" .root | quote }}
{{- end }}
{{- end -}}

{{/* The init containers that fill the writable source folders from the image's. Input: dict "root" "service". */}}
{{- define "todo-chatbot.devInit" -}}
{{- range $position, $folder := .service.dev.folders }}
- name: "in-sources-{{ $position }}"
  command: [python3, /etc/in-dev/dev.py, copy, {{ $folder | quote }}, "/in-sources/{{ $position }}"]
  {{- $mounts := include "todo-chatbot.devMounts" (dict "service" $.service "below" "/in-sources") | fromJson }}
  {{- include "todo-chatbot.containerBase" (dict "root" $.root "service" $.service "mounts" $mounts) | nindent 2 }}
{{- end }}
{{- end -}}
