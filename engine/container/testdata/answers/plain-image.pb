
®
!registry.local:5000/acm/busy:v1.2ì
4application/vnd.docker.distribution.manifest.v2+jsonGsha256:5d0524790e58382c198a83bbb64fee7aa78ee6379f81b956a09aba90a95aebb8¦*)
!org.opencontainers.image.ref.namev1.2*=
io.containerd.image.name!registry.local:5000/acm/busy:v1.2:ö„˜ØºšÔ³Bö„˜ØºšÔ³