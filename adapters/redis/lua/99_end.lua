end
return others()
